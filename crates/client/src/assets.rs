//! Agents and context graphs.

use forge_domain::asset::AssetKind;
use forge_wire::assets::{list_key, version_list_key};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answers::{Asset, AssetVersion, Yank};
use crate::health::ServiceReference;
use crate::request::{Repeat, Request, keyed_post};
use crate::session::escaped;
use crate::{Client, ClientError, Document, Page, Pages};

/// The answer of a creation.
#[derive(Debug, Clone, Deserialize)]
pub struct Created {
    /// The id of what was created.
    pub id: String,
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

fn version_path(kind: AssetKind, id: &str, version: i64) -> String {
    format!("{}/{}/version/{version}", folder(kind), escaped(id))
}

impl Client {
    /// Lists agents or context graphs: with ids those, else all of them.
    pub fn assets(&self, kind: AssetKind, ids: &[String]) -> Pages<'_, Asset> {
        let ids = ids.to_vec();
        Pages::new(self, list_key(kind), 20, move |limit, token| {
            let page = Request::get(folder(kind))
                .query("limit", limit)
                .query("continuation_token", token);
            ids.iter().fold(page, |request, id| request.query("id", id))
        })
    }

    /// Lists the versions of an agent or a context graph, newest first.
    pub fn asset_versions(&self, kind: AssetKind, id: &str) -> Pages<'_, AssetVersion> {
        let path = format!("{}/{}/version", folder(kind), escaped(id));
        Pages::new(self, version_list_key(kind), 10, move |limit, token| {
            Request::get(&path)
                .query("limit", limit)
                .query("continuation_token", token)
                .query("sort_by", "-version")
        })
    }

    /// Returns one version of an agent or a context graph, `latest` without a number, or `None` if it is not there.
    pub async fn asset_version(
        &self,
        kind: AssetKind,
        id: &str,
        version: Option<i64>,
    ) -> Result<Page<AssetVersion>, ClientError> {
        let path = format!("{}/{}/version", folder(kind), escaped(id));
        let wanted = version.map_or_else(|| "latest".to_owned(), |version| version.to_string());
        let pages = Pages::new(self, version_list_key(kind), 1, move |limit, token| {
            Request::get(&path)
                .query("limit", limit)
                .query("continuation_token", token)
                .query("version", &wanted)
        });
        pages.at_most(1).await
    }

    /// Creates an agent or a context graph without versions, and returns its id.
    pub async fn create_asset(&self, kind: AssetKind, name: &str) -> Result<String, ClientError> {
        let body = match kind {
            AssetKind::Agent => json!({"agent_name": name}),
            AssetKind::ContextGraph => json!({"state_machine_name": name}),
        };
        let request = Request::new(Method::POST, folder(kind), Repeat::Never).body(body);
        let created: Document<Created> = self.read(request).await?;
        Ok(created.value.id)
    }

    /// Creates a version, provided that it gets the number that is expected.
    pub async fn create_asset_version(
        &self,
        kind: AssetKind,
        id: &str,
        document: &Value,
        expected: i64,
    ) -> Result<Document<VersionCreated>, ClientError> {
        self.read(new_version(kind, id, document).query("version", expected))
            .await
    }

    /// Checks everything that creating a version of a context graph checks, and stores nothing.
    pub async fn check_context_graph_version(&self, id: &str, document: &Value) -> Result<(), ClientError> {
        let mut request = new_version(AssetKind::ContextGraph, id, document);
        request.repeat = Repeat::Read;
        let checked: Result<Document<Value>, _> = self.read(request.query("dry_run", true)).await;
        checked.map(drop)
    }

    /// Lists the services with sets that mean a version.
    pub fn references(&self, kind: AssetKind, id: &str, version: i64) -> Pages<'_, ServiceReference> {
        let path = format!("{}/references", version_path(kind, id, version));
        Pages::new(self, "services", 200, move |limit, token| {
            Request::get(&path)
                .query("limit", limit)
                .query("continuation_token", token)
        })
    }

    /// Declares a version unfit for a reason, or takes that back, provided that its yank is the one that was seen.
    pub async fn yank(
        &self,
        kind: AssetKind,
        id: &str,
        version: i64,
        seen: Option<&Yank>,
        reason: Option<&str>,
    ) -> Result<Document<Yanked>, ClientError> {
        let path = format!("{}/yank", version_path(kind, id, version));
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

fn new_version(kind: AssetKind, id: &str, document: &Value) -> Request {
    let path = format!("{}/{}/", folder(kind), escaped(id));
    Request::new(Method::POST, path, Repeat::Never).body(document.clone())
}
