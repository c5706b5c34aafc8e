//! Gives a user another role.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::identity::users;
use forge_wire::roles::{AssignRole, RoleChanged};

use super::RolePath;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<RolePath, Nothing, AssignRole, Caller>) -> Answer {
    let (ctx, name, user_id) = (
        call.server.ctx(&call.caller),
        &call.path.role_name,
        &call.body.user_id,
    );
    let assigned = users::assign_role(ctx, name, user_id).await?;
    let response = reply::json(
        StatusCode::OK,
        &RoleChanged {
            role_id: assigned.value,
        },
    )?;
    Ok(reply::with_sequence(response, Some(assigned.change_number)))
}
