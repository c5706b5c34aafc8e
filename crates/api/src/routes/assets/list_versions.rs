//! Lists the versions of an agent or a context graph.

use axum::http::StatusCode;
use forge_app::{Caller, assets};
use forge_domain::asset::AssetId;
use forge_domain::{AgentId, ContextGraphId};
use forge_wire::assets::{ListedVersionInstance, version_list_key};

use crate::call::{Call, Nothing};
use crate::error::ApiError;
use crate::reply::{self, Answer};
use crate::routes::{AssetPath, VersionsQuery, token, version_instance};
use crate::views::yank_instance;

pub(crate) async fn agent(call: Call<AssetPath<AgentId>, VersionsQuery, Nothing, Caller>) -> Answer {
    list(call).await
}

pub(crate) async fn context_graph(
    call: Call<AssetPath<ContextGraphId>, VersionsQuery, Nothing, Caller>,
) -> Answer {
    list(call).await
}

async fn list<I: Into<AssetId>>(call: Call<AssetPath<I>, VersionsQuery, Nothing, Caller>) -> Answer {
    let query = assets::ListVersions {
        range: call.query.range()?,
        is_descending: call.query.is_descending()?,
        limit: call.query.limit,
        continuation_token: token(call.query.continuation_token)?,
    };
    let id: AssetId = call.path.id.into();
    let page = assets::list_versions(call.server.ctx(&call.caller), id, &query).await?;
    let instance = |listed: assets::ListedVersion| -> Result<ListedVersionInstance, ApiError> {
        Ok(ListedVersionInstance {
            version: version_instance(&call.organization, id, &listed.version)?,
            yanked: listed.yank.map(yank_instance),
        })
    };
    let instances: Result<Vec<_>, ApiError> = page.items.into_iter().map(instance).collect();
    reply::large(
        StatusCode::OK,
        forge_wire::Page::new(version_list_key(id.kind()), instances?, page.continuation_token),
    )
    .await
}
