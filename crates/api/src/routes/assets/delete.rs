//! Deprecates an agent or a context graph.

use axum::http::StatusCode;
use forge_app::{Caller, assets};
use forge_domain::asset::AssetId;
use forge_domain::{AgentId, ContextGraphId};

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::AssetPath;

pub(crate) async fn agent(call: Call<AssetPath<AgentId>, Nothing, Nothing, Caller>) -> Answer {
    delete(call).await
}

pub(crate) async fn context_graph(call: Call<AssetPath<ContextGraphId>, Nothing, Nothing, Caller>) -> Answer {
    delete(call).await
}

async fn delete<I: Into<AssetId>>(call: Call<AssetPath<I>, Nothing, Nothing, Caller>) -> Answer {
    let deleted = assets::deprecate(call.server.ctx(&call.caller), call.path.id.into()).await?;
    Ok(reply::with_sequence(
        reply::done(StatusCode::OK)?,
        Some(deleted.change_number),
    ))
}
