//! Creates a role.

use forge_app::Caller;
use forge_app::identity::roles;
use forge_wire::roles::{CreateRole, FrontendView, RoleChanged};

use crate::call::{Call, Nothing};
use crate::reply::{Answer, created};

pub(crate) async fn handle(call: Call<Nothing, Nothing, CreateRole, Caller>) -> Answer {
    let body = call.body;
    let has_admin_view = body.frontend_view == FrontendView::Admin;
    let (ctx, grants) = (call.server.ctx(&call.caller), body.permission_grants);
    let written = roles::create(ctx, body.role_name, body.description, grants, has_admin_view).await?;
    created(written, |role_id| RoleChanged { role_id })
}
