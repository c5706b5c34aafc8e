//! Creates a version of an agent.

use axum::http::StatusCode;
use forge_app::{Caller, agents};
use forge_domain::agent::AgentChange;
use forge_wire::assets::VersionCreated;
use forge_wire::rfc3339;

use crate::call::Call;
use crate::reply::{self, Answer};
use crate::routes::{AssetPath, ExpectedVersion};

pub(crate) async fn handle(call: Call<AssetPath, ExpectedVersion, AgentChange, Caller>) -> Answer {
    let expected = call.query.version;
    let created =
        agents::create_version(&call.server.app, &call.caller, &call.path.id, expected, call.body).await?;
    let (version, created_at) = created.value;
    let body = VersionCreated {
        version,
        created_at: rfc3339(created_at),
    };
    Ok(reply::with_sequence(
        reply::json(StatusCode::CREATED, &body)?,
        Some(created.change_number),
    ))
}
