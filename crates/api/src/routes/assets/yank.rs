//! Declares a version unfit, or takes that back.

use axum::http::StatusCode;
use forge_app::references::{self, Yanked};
use forge_app::{AppError, Caller};
use forge_domain::VersionNumber;
use forge_domain::refusal::AssetKind;
use forge_wire::health::{Yank, YankedInstance};

use super::references::instance;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::VersionPath;

pub(crate) async fn agent(call: Call<VersionPath, Nothing, Yank, Caller>) -> Answer {
    yank(AssetKind::Agent, call).await
}

pub(crate) async fn context_graph(call: Call<VersionPath, Nothing, Yank, Caller>) -> Answer {
    yank(AssetKind::ContextGraph, call).await
}

pub(crate) async fn agent_back(call: Call<VersionPath, Nothing, Nothing, Caller>) -> Answer {
    unyank(AssetKind::Agent, call).await
}

pub(crate) async fn context_graph_back(call: Call<VersionPath, Nothing, Nothing, Caller>) -> Answer {
    unyank(AssetKind::ContextGraph, call).await
}

async fn yank(kind: AssetKind, call: Call<VersionPath, Nothing, Yank, Caller>) -> Answer {
    let version = (call.path.id.as_str(), call.path.version);
    let reason = Some(call.body.reason.as_str());
    answer(
        call.path.version,
        references::yank(&call.server.app, &call.caller, kind, version, reason).await,
    )
}

async fn unyank(kind: AssetKind, call: Call<VersionPath, Nothing, Nothing, Caller>) -> Answer {
    let version = (call.path.id.as_str(), call.path.version);
    answer(
        call.path.version,
        references::yank(&call.server.app, &call.caller, kind, version, None).await,
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
