//! Agents and context graphs.

use forge_types::asset::{AssetId, AssetKind};
use forge_types::{AgentId, ContextGraphId};
use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::answers::{Asset, AssetVersion, Yank};
use crate::health::ServiceReference;
use crate::request::{Path, Repeat, Request, keyed_post};
use crate::{Client, ClientError, Document, Page, Pages};

/// The answer of a creation.
#[derive(Debug, Clone, Deserialize)]
pub struct Created<I> {
    /// The id of what was created.
    pub id: I,
}

/// An agent or a context graph in a list, which does not say which of the two it is.
#[derive(Deserialize)]
struct Row<I> {
    id: I,
    name: String,
    #[serde(default)]
    deprecated: bool,
    #[serde(default)]
    latest_version: Option<i64>,
}

fn read<I: Into<AssetId> + DeserializeOwned>(row: &RawValue) -> Result<Asset, serde_json::Error> {
    let row: Row<I> = serde_json::from_str(row.get())?;
    Ok(Asset {
        id: row.id.into(),
        name: row.name,
        deprecated: row.deprecated,
        latest_version: row.latest_version,
    })
}

/// The answer of the creation of a version.
#[derive(Debug, Clone, Deserialize)]
pub struct VersionCreated {
    /// Its number.
    pub version: i64,
}

/// The answer of a yank, and of taking one back.
#[derive(Debug, Clone, Deserialize)]
pub struct Yanked {
    /// Whether the version is yanked now.
    pub is_yanked: bool,
}

fn folder(kind: AssetKind) -> &'static str {
    match kind {
        AssetKind::Agent => "organization/agent",
        AssetKind::ContextGraph => "organization/service_hierarchical_state_machine",
    }
}

/// Returns the name that a list of this kind has in its answer.
fn list_key(kind: AssetKind) -> &'static str {
    match kind {
        AssetKind::Agent => "agents",
        AssetKind::ContextGraph => "service_hierarchical_state_machines",
    }
}

/// Returns the name that a list of versions of this kind has in its answer.
fn version_list_key(kind: AssetKind) -> &'static str {
    match kind {
        AssetKind::Agent => "agent_versions",
        AssetKind::ContextGraph => "state_machine_versions",
    }
}

fn asset(id: AssetId) -> Path {
    Path::from(folder(id.kind())).join(id)
}

fn version_path(id: AssetId, version: i64) -> Path {
    asset(id).join("version").join(version)
}

impl Client {
    /// Lists agents or context graphs: with ids those, else all of them.
    pub fn assets(&self, kind: AssetKind, ids: &[AssetId]) -> Pages<'_, Asset> {
        let ids = ids.to_vec();
        let read = match kind {
            AssetKind::Agent => read::<AgentId>,
            AssetKind::ContextGraph => read::<ContextGraphId>,
        };
        Pages::of(self, list_key(kind), 20, read, move |limit, token| {
            let page = Request::get(folder(kind))
                .query("limit", limit)
                .query("continuation_token", token);
            ids.iter().fold(page, |request, id| request.query("id", id))
        })
    }

    /// Lists the versions of an agent or a context graph, newest first.
    pub fn asset_versions(&self, id: AssetId) -> Pages<'_, AssetVersion> {
        let path = asset(id).join("version");
        Pages::new(self, version_list_key(id.kind()), 10, move |limit, token| {
            Request::get(path.clone())
                .query("limit", limit)
                .query("continuation_token", token)
                .query("sort_by", "-version")
        })
    }

    /// Returns one version of an agent or a context graph, `latest` without a number, or `None` if it is not there.
    ///
    /// # Errors
    ///
    /// Fails if the caller may not see the asset, and as every call does (see [`ClientError`]).
    pub async fn asset_version(
        &self,
        id: AssetId,
        version: Option<i64>,
    ) -> Result<Page<AssetVersion>, ClientError> {
        let path = asset(id).join("version");
        let wanted = version.map_or_else(|| "latest".to_owned(), |version| version.to_string());
        let pages = Pages::new(self, version_list_key(id.kind()), 1, move |limit, token| {
            Request::get(path.clone())
                .query("limit", limit)
                .query("continuation_token", token)
                .query("version", &wanted)
        });
        pages.at_most(1).await
    }

    /// Creates an agent or a context graph without versions, and returns its id.
    ///
    /// # Errors
    ///
    /// [`ClientError::Conflict`] if another one has the name, [`ClientError::Invalid`] if it is no name.
    pub async fn create_asset(&self, kind: AssetKind, name: &str) -> Result<AssetId, ClientError> {
        let body = match kind {
            AssetKind::Agent => json!({"agent_name": name}),
            AssetKind::ContextGraph => json!({"state_machine_name": name}),
        };
        let request = Request::new(Method::POST, folder(kind), Repeat::Never).body(body);
        Ok(match kind {
            AssetKind::Agent => self.read::<Created<AgentId>>(request).await?.value.id.into(),
            AssetKind::ContextGraph => self
                .read::<Created<ContextGraphId>>(request)
                .await?
                .value
                .id
                .into(),
        })
    }

    /// Creates a version, provided that it gets the number that is expected.
    ///
    /// # Errors
    ///
    /// [`ClientError::Conflict`] if the version would get another number, [`ClientError::Invalid`] with every fault of the
    /// document.
    pub async fn create_asset_version(
        &self,
        id: AssetId,
        document: &Value,
        expected: i64,
    ) -> Result<Document<VersionCreated>, ClientError> {
        self.read(new_version(id, document).query("version", expected))
            .await
    }

    /// Checks everything that creating a version of a context graph checks, and stores nothing.
    ///
    /// # Errors
    ///
    /// [`ClientError::Invalid`] with every fault of the document.
    pub async fn check_context_graph_version(
        &self,
        id: ContextGraphId,
        document: &Value,
    ) -> Result<(), ClientError> {
        let mut request = new_version(id.into(), document);
        request.repeat = Repeat::Read;
        let checked: Result<Document<Value>, _> = self.read(request.query("dry_run", true)).await;
        checked.map(drop)
    }

    /// Lists the services with sets that mean a version.
    pub fn references(&self, id: AssetId, version: i64) -> Pages<'_, ServiceReference> {
        let path = version_path(id, version).join("references");
        Pages::new(self, "services", 200, move |limit, token| {
            Request::get(path.clone())
                .query("limit", limit)
                .query("continuation_token", token)
        })
    }

    /// Declares a version unfit for a reason, or takes that back, provided that its yank is the one that was seen.
    ///
    /// # Errors
    ///
    /// [`ClientError::YankMoved`] if the yank is another one by now, [`ClientError::NotFound`] if there is no such version.
    pub async fn yank(
        &self,
        id: AssetId,
        version: i64,
        seen: Option<&Yank>,
        reason: Option<&str>,
    ) -> Result<Document<Yanked>, ClientError> {
        let path = version_path(id, version).join("yank");
        let request = match reason {
            Some(reason) => keyed_post(path, json!({"reason": reason})),
            None => Request::new(Method::DELETE, path, Repeat::Recognised),
        };
        self.read(match seen {
            Some(yank) => request.header("If-Match", format!("\"{}\"", yank.etag)),
            None => request.header("If-None-Match", "*"),
        })
        .await
    }
}

fn new_version(id: AssetId, document: &Value) -> Request {
    let path = asset(id).join("");
    Request::new(Method::POST, path, Repeat::Never).body(document.clone())
}
