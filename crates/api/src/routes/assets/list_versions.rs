//! Lists the versions of an agent or a context graph.

use axum::http::StatusCode;
use forge_app::{Caller, assets};
use forge_domain::asset::AssetKind;
use forge_wire::assets::{ListedVersionInstance, version_list_key};

use crate::call::{Call, Nothing};
use crate::error::ApiError;
use crate::reply::{self, Answer};
use crate::routes::{AssetPath, VersionsQuery, token, version_instance};
use crate::views::yank_instance;

pub(crate) async fn agent(call: Call<AssetPath, VersionsQuery, Nothing, Caller>) -> Answer {
    list(AssetKind::Agent, call).await
}

pub(crate) async fn context_graph(call: Call<AssetPath, VersionsQuery, Nothing, Caller>) -> Answer {
    list(AssetKind::ContextGraph, call).await
}

async fn list(kind: AssetKind, call: Call<AssetPath, VersionsQuery, Nothing, Caller>) -> Answer {
    let query = assets::ListVersions {
        range: call.query.range()?,
        is_descending: call.query.is_descending()?,
        limit: call.query.limit,
        continuation_token: token(call.query.continuation_token)?,
    };
    let id = &call.path.id;
    let page = assets::list_versions(call.server.ctx(&call.caller), kind, id, &query).await?;
    let instance = |listed: assets::ListedVersion| -> Result<ListedVersionInstance, ApiError> {
        Ok(ListedVersionInstance {
            version: version_instance(&call.organization, kind, id, &listed.version)?,
            yanked: listed.yank.map(yank_instance),
        })
    };
    let instances: Result<Vec<_>, ApiError> = page.items.into_iter().map(instance).collect();
    reply::large(
        StatusCode::OK,
        forge_wire::Page::new(version_list_key(kind), instances?, page.continuation_token),
    )
    .await
}
