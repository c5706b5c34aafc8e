//! Changes a role, in place or by another one of the same name.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::identity::roles;
use forge_wire::roles::{FrontendView, ModifyRole, RoleChanged};

use super::RolePath;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<RolePath, Nothing, ModifyRole, Caller>) -> Answer {
    let body = call.body;
    let change = roles::ModifyRole {
        description: body.description,
        grants: body.permission_grants,
        has_admin_view: body.frontend_view.map(|view| view == FrontendView::Admin),
    };
    let modified = roles::modify(call.server.ctx(&call.caller), &call.path.role_name, change).await?;
    let response = reply::json(
        StatusCode::OK,
        &RoleChanged {
            role_id: modified.value,
        },
    )?;
    Ok(reply::with_sequence(response, Some(modified.change_number)))
}
