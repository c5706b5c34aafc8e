//! Deprecates an agent or a context graph.

use axum::http::StatusCode;
use forge_app::{Caller, assets};
use forge_domain::asset::AssetKind;

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::AssetPath;

pub(crate) async fn agent(call: Call<AssetPath, Nothing, Nothing, Caller>) -> Answer {
    delete(AssetKind::Agent, call).await
}

pub(crate) async fn context_graph(call: Call<AssetPath, Nothing, Nothing, Caller>) -> Answer {
    delete(AssetKind::ContextGraph, call).await
}

async fn delete(kind: AssetKind, call: Call<AssetPath, Nothing, Nothing, Caller>) -> Answer {
    let deleted = assets::deprecate(call.server.ctx(&call.caller), kind, &call.path.id).await?;
    Ok(reply::with_sequence(
        reply::done(StatusCode::OK)?,
        Some(deleted.change_number),
    ))
}
