//! Creates a role.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::identity::roles;
use forge_wire::roles::{CreateRole, FrontendView, RoleChanged};

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Nothing, Nothing, CreateRole, Caller>) -> Answer {
    let body = call.body;
    let has_admin_view = body.frontend_view == FrontendView::Admin;
    let (ctx, grants) = (call.server.ctx(&call.caller), body.permission_grants);
    let created = roles::create(ctx, body.role_name, body.description, grants, has_admin_view).await?;
    let response = reply::json(
        StatusCode::CREATED,
        &RoleChanged {
            role_id: created.value,
        },
    )?;
    Ok(reply::with_sequence(response, Some(created.change_number)))
}
