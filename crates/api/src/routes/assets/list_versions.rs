//! Lists the versions of an agent or a context graph.

use axum::http::StatusCode;
use forge_app::{Caller, assets};
use forge_domain::refusal::AssetKind;
use forge_domain::version::VersionRange;
use forge_wire::assets::{ListedVersion, YankInstance, version_list_key};
use forge_wire::rfc3339;
use serde::Deserialize;

use crate::call::{Call, Nothing, invalid_query};
use crate::error::ApiError;
use crate::reply::{self, Answer};
use crate::routes::{AssetPath, sort_key, token, version_instance};

#[derive(Deserialize)]
pub(crate) struct Query {
    #[serde(default)]
    version: Option<String>,
    limit: i64,
    continuation_token: i64,
    sort_by: Vec<String>,
}

pub(crate) async fn agent(call: Call<AssetPath, Query, Nothing, Caller>) -> Answer {
    list(AssetKind::Agent, call).await
}

pub(crate) async fn context_graph(call: Call<AssetPath, Query, Nothing, Caller>) -> Answer {
    list(AssetKind::ContextGraph, call).await
}

async fn list(kind: AssetKind, call: Call<AssetPath, Query, Nothing, Caller>) -> Answer {
    let query = assets::ListVersions {
        range: range(call.query.version.as_deref())?,
        is_descending: is_descending(&call.query.sort_by)?,
        limit: call.query.limit,
        continuation_token: token(call.query.continuation_token)?,
    };
    let id = &call.path.id;
    let page = assets::list_versions(&call.server.app, &call.caller, kind, id, &query).await?;
    let instance = |listed: assets::ListedVersion| -> Result<ListedVersion, ApiError> {
        Ok(ListedVersion {
            version: version_instance(&call.organization, kind, id, &listed.version)?,
            yanked: listed.yank.map(|yank| YankInstance {
                reason: yank.reason,
                since: rfc3339(yank.since),
                by: yank.by,
            }),
        })
    };
    let instances: Result<Vec<_>, ApiError> = page.items.into_iter().map(instance).collect();
    reply::json(
        StatusCode::OK,
        &forge_wire::page(version_list_key(kind), &instances?, page.continuation_token),
    )
}

fn range(text: Option<&str>) -> Result<VersionRange, ApiError> {
    match text {
        None => Ok(VersionRange::ALL),
        Some(text) => text
            .parse()
            .map_err(|error: forge_domain::version::InvalidVersionRange| {
                invalid_query("version", &error.to_string())
            }),
    }
}

/// Versions have one field to sort by; of several keys the first decides, as no two versions tie in it.
fn is_descending(sort_by: &[String]) -> Result<bool, ApiError> {
    let mut first = None;
    for text in sort_by {
        match sort_key(text) {
            Some((is_descending, "version")) => first = first.or(Some(is_descending)),
            _ => return Err(invalid_query("sort_by", "expected `+version` or `-version`")),
        }
    }
    Ok(first.unwrap_or(false))
}
