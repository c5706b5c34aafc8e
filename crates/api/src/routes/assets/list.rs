//! Lists agents or context graphs.

use axum::http::StatusCode;
use forge_app::{Caller, assets};
use forge_domain::asset::{AssetId, AssetKind};
use forge_domain::{AgentId, ContextGraphId};
use forge_wire::assets::{AssetInstance, list_key};
use serde::Deserialize;

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::token;

#[derive(Deserialize)]
pub(crate) struct Query<I> {
    #[serde(default)]
    deprecated: Option<bool>,
    id: Vec<I>,
    limit: i64,
    continuation_token: i64,
}

pub(crate) async fn agents(call: Call<Nothing, Query<AgentId>, Nothing, Caller>) -> Answer {
    list(AssetKind::Agent, call).await
}

pub(crate) async fn context_graphs(call: Call<Nothing, Query<ContextGraphId>, Nothing, Caller>) -> Answer {
    list(AssetKind::ContextGraph, call).await
}

async fn list<I: Into<AssetId>>(kind: AssetKind, call: Call<Nothing, Query<I>, Nothing, Caller>) -> Answer {
    let query = assets::ListAssets {
        ids: call.query.id.into_iter().map(Into::into).collect(),
        is_deprecated: call.query.deprecated,
        limit: call.query.limit,
        continuation_token: token(call.query.continuation_token)?,
    };
    let page = assets::list(call.server.ctx(&call.caller), kind, &query).await?;
    let instances = page.items.into_iter().map(|asset| AssetInstance {
        id: asset.id,
        name: asset.name,
        deprecated: asset.is_deprecated,
        latest_version: asset.latest_version,
    });
    let instances: Vec<AssetInstance> = instances.collect();
    reply::large(
        StatusCode::OK,
        forge_wire::Page::new(list_key(kind), instances, page.continuation_token),
    )
    .await
}
