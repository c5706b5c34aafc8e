//! Version sets: reading, planning and changing them.

use forge_types::{ServiceId, SetName};
use http::Method;
use serde::Serialize;
use serde_json::{Value, json};

use crate::answers::{self, Pins, Plan, Promotion, Resolution, Revision, VersionSet, VersionSets};
use crate::request::{Repeat, Request, keyed_post};
use crate::{Client, ClientError, Document, Pages, Promote, Promotions, Rollback};

/// What a caller expects of the set that is to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It is at this revision.
    At(i64),
    /// It is not there.
    Absent,
}

/// The options of replacing or deleting a set, and of changing a service.
#[derive(Debug, Clone, Default)]
pub struct ChangeOptions {
    /// Whether only the plan is wanted.
    pub dry_run: bool,
    /// The digest of the plan that was looked at.
    pub plan_digest: Option<String>,
    /// Why.
    pub message: Option<String>,
    /// Whether a hold on the set, or on any set of the service, is lifted.
    pub lift_hold: bool,
    /// What the set must be like; of a service, its `release`.
    pub expected: Option<Expected>,
}

impl ChangeOptions {
    pub(crate) fn of(self, request: Request) -> Request {
        let mut request = request
            .query_if("plan_digest", self.plan_digest)
            .query_if("message", self.message);
        for (name, is_set) in [("dry_run", self.dry_run), ("lift_hold", self.lift_hold)] {
            if is_set {
                request = request.query(name, true);
            }
        }
        if self.dry_run {
            request.repeat = Repeat::Read;
        }
        expecting(request, self.expected)
    }
}

fn expecting(request: Request, expected: Option<Expected>) -> Request {
    match expected {
        Some(Expected::At(revision)) => request.header("If-Match", format!("\"{revision}\"")),
        Some(Expected::Absent) => request.header("If-None-Match", "*"),
        None => request,
    }
}

fn sets(service: ServiceId) -> String {
    format!("service/{service}/version_sets")
}

impl Client {
    /// Returns every set of a service.
    ///
    /// # Errors
    ///
    /// [`ClientError::NotFound`] if there is no such service.
    pub async fn version_sets(&self, service: ServiceId) -> Result<Document<VersionSets>, ClientError> {
        self.read(Request::get(format!("{}/", sets(service)))).await
    }

    /// Returns one set.
    ///
    /// # Errors
    ///
    /// [`ClientError::NotFound`] if there is no such set.
    pub async fn version_set(
        &self,
        service: ServiceId,
        name: &SetName,
    ) -> Result<Document<VersionSet>, ClientError> {
        self.read(Request::get(format!("{}/{name}/", sets(service))))
            .await
    }

    /// Returns what a set means to a runtime now.
    ///
    /// # Errors
    ///
    /// [`ClientError::NotFound`] if there is no such set, or no version that it could mean.
    pub async fn resolve(
        &self,
        service: ServiceId,
        name: &SetName,
    ) -> Result<Document<Resolution>, ClientError> {
        self.read(Request::get(format!("{}/{name}/resolve", sets(service))))
            .await
    }

    /// Lists the revisions of a set, newest first.
    pub fn history(&self, service: ServiceId, name: &SetName) -> Pages<'_, Revision> {
        let path = format!("{}/{name}/history", sets(service));
        Pages::new(self, "revisions", 100, move |limit, token| {
            Request::get(path.clone())
                .query("limit", limit)
                .query("continuation_token", token)
        })
    }

    /// Makes a set pin this.
    ///
    /// A dry run answers the plan, the change itself nothing.
    ///
    /// # Errors
    ///
    /// [`ClientError::Blocked`] with the plan if rules forbid it, [`ClientError::Conflict`] if the plan is another one by now,
    /// [`ClientError::SetMoved`] if the set is not as expected.
    pub async fn upsert_version_set(
        &self,
        service: ServiceId,
        name: &SetName,
        pins: &Pins,
        options: ChangeOptions,
    ) -> Result<Document<Option<Plan>>, ClientError> {
        let request = Request::new(Method::PUT, format!("{}/{name}/", sets(service)), Repeat::Never)
            .body(json!({"version_set": pins}));
        self.read(options.of(request)).await
    }

    /// Deletes a set.
    ///
    /// A dry run answers the plan, the change itself nothing.
    ///
    /// # Errors
    ///
    /// [`ClientError::Blocked`] with the plan if rules forbid it, [`ClientError::Conflict`] if the plan is another one by now,
    /// [`ClientError::SetMoved`] if the set is not as expected.
    pub async fn delete_version_set(
        &self,
        service: ServiceId,
        name: &SetName,
        options: ChangeOptions,
    ) -> Result<Document<Option<Plan>>, ClientError> {
        let request = Request::new(
            Method::DELETE,
            format!("{}/{name}/", sets(service)),
            Repeat::Never,
        );
        self.read(options.of(request)).await
    }

    /// Copies a set onto another one.
    ///
    /// # Errors
    ///
    /// [`ClientError::Blocked`] with the plan if rules forbid it, [`ClientError::Conflict`] if the plan is another one by now,
    /// [`ClientError::SetMoved`] if the target is not as expected.
    pub async fn promote(
        &self,
        service: ServiceId,
        target: &SetName,
        body: &Promote,
        expected: Option<Expected>,
    ) -> Result<Document<Promotion>, ClientError> {
        let path = format!("{}/{target}/promote", sets(service));
        self.read(expecting(post(path, body, body.options.dry_run), expected))
            .await
    }

    /// Restores an earlier revision of a set.
    ///
    /// # Errors
    ///
    /// [`ClientError::Blocked`] with the plan if rules forbid it, [`ClientError::Conflict`] if the plan is another one by now,
    /// [`ClientError::SetMoved`] if the set is not as expected.
    pub async fn roll_back(
        &self,
        service: ServiceId,
        name: &SetName,
        body: &Rollback,
        expected: Option<Expected>,
    ) -> Result<Document<Promotion>, ClientError> {
        let path = format!("{}/{name}/rollback", sets(service));
        self.read(expecting(post(path, body, body.options.dry_run), expected))
            .await
    }

    /// Promotes in several services at once: all or nothing.
    ///
    /// # Errors
    ///
    /// [`ClientError::Blocked`] with every plan if rules forbid one of them, [`ClientError::Conflict`] if they are others by now.
    pub async fn promote_many(
        &self,
        body: &Promotions,
    ) -> Result<Document<answers::Promotions>, ClientError> {
        self.read(post("promotion".to_owned(), body, body.options.dry_run))
            .await
    }

    /// Lifts the hold that is on a set at a revision, and no later one.
    ///
    /// Lifting it twice is the same as once.
    ///
    /// # Errors
    ///
    /// [`ClientError::SetMoved`] if the set is at another revision.
    pub async fn lift_hold(
        &self,
        service: ServiceId,
        name: &SetName,
        revision: i64,
    ) -> Result<Document<Value>, ClientError> {
        let path = format!("{}/{name}/hold", sets(service));
        let request = Request::new(Method::DELETE, path, Repeat::Recognised);
        self.read(expecting(request, Some(Expected::At(revision)))).await
    }
}

fn post(path: String, body: &impl Serialize, is_dry_run: bool) -> Request {
    if is_dry_run {
        return Request::new(Method::POST, path, Repeat::Read).body(json!(body));
    }
    keyed_post(path, json!(body))
}
