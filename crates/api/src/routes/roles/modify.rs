//! Changes a role, in place or by another one of the same name.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::identity::roles;
use forge_wire::roles::{ModifyRole, RoleChanged};

use super::RolePath;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<RolePath, Nothing, ModifyRole, Caller>) -> Answer {
    let modified = roles::modify(
        call.server.ctx(&call.caller),
        &call.path.role_name,
        call.body.into(),
    )
    .await?;
    let response = reply::json(
        StatusCode::OK,
        &RoleChanged {
            role_id: modified.value,
        },
    )?;
    Ok(reply::with_sequence(response, Some(modified.change_number)))
}
