//! Declares a version unfit, or takes that back.

use axum::http::StatusCode;
use forge_app::assets::yanks::{self, YankChange, Yanked};
use forge_app::version_sets::promotion::Precondition;
use forge_app::{AppError, Caller};
use forge_domain::asset::AssetId;
use forge_domain::{AgentId, ContextGraphId, VersionNumber};
use forge_wire::health::{Yank, YankedInstance};
use serde_json::{Map, Value};

use super::references::instance;
use crate::call::{Call, Nothing};
use crate::conditions::{self, About};
use crate::error::ApiError;
use crate::reply::{self, Answer};
use crate::routes::VersionPath;

pub(crate) async fn agent(call: Call<VersionPath<AgentId>, Nothing, Yank, Caller>) -> Answer {
    yank(call).await
}

pub(crate) async fn context_graph(call: Call<VersionPath<ContextGraphId>, Nothing, Yank, Caller>) -> Answer {
    yank(call).await
}

pub(crate) async fn agent_back(call: Call<VersionPath<AgentId>, Nothing, Nothing, Caller>) -> Answer {
    unyank(call).await
}

pub(crate) async fn context_graph_back(
    call: Call<VersionPath<ContextGraphId>, Nothing, Nothing, Caller>,
) -> Answer {
    unyank(call).await
}

async fn yank<I: Into<AssetId>>(call: Call<VersionPath<I>, Nothing, Yank, Caller>) -> Answer {
    let change = YankChange {
        precondition: precondition(&call.headers)?,
        reason: Some(call.body.reason),
    };
    let version = call.path.version_ref();
    answer(
        version.version,
        yanks::yank(call.server.ctx(&call.caller), version, change).await,
    )
}

async fn unyank<I: Into<AssetId>>(call: Call<VersionPath<I>, Nothing, Nothing, Caller>) -> Answer {
    let change = YankChange {
        precondition: precondition(&call.headers)?,
        reason: None,
    };
    let version = call.path.version_ref();
    answer(
        version.version,
        yanks::yank(call.server.ctx(&call.caller), version, change).await,
    )
}

/// Returns what the headers of a request ask of the yank of the version.
fn precondition(headers: &Map<String, Value>) -> Result<Precondition<String>, ApiError> {
    conditions::precondition(
        headers,
        &About {
            thing: "the yank",
            tags: "the yank's `etag`, as the list of versions tells it, in quotes",
            read: |tag| (!tag.is_empty()).then(|| tag.to_owned()),
        },
    )
}

fn answer(version: VersionNumber, yanked: Result<Yanked, AppError>) -> Answer {
    let yanked = yanked?;
    let body = YankedInstance {
        version,
        is_yanked: yanked.reason.is_some(),
        reason: yanked.reason,
        references: instance(yanked.references),
    };
    Ok(reply::with_sequence(
        reply::json(StatusCode::OK, &body)?,
        yanked.change_number,
    ))
}
