//! Gives a user a grant for a while.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::identity::temporary_grants;
use forge_wire::rfc3339;
use forge_wire::temporary_grants::{CreateTemporaryGrant, TemporaryGrantCreated};

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::duration;

pub(crate) async fn handle(call: Call<Nothing, Nothing, CreateTemporaryGrant, Caller>) -> Answer {
    let body = call.body;
    let given = temporary_grants::GiveGrant {
        user_id: body.user_id,
        duration: duration(&body.duration)?,
        grant: body.permission_grant,
        tags: body.tags,
        justification: body.justification,
    };
    let created = temporary_grants::create(call.server.ctx(&call.caller), given).await?;
    let (id, expires_at) = created.value;
    let body = TemporaryGrantCreated {
        temporary_permission_grant_id: id,
        expires_at: rfc3339(expires_at),
    };
    Ok(reply::with_sequence(
        reply::json(StatusCode::CREATED, &body)?,
        Some(created.change_number),
    ))
}
