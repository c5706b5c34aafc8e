//! Tells about an organization: its name to anyone, its details to those who may see them.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::identity::organizations;
use forge_wire::organizations::OrganizationInstance;

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Nothing, Nothing, Nothing, Option<Caller>>) -> Answer {
    let (organization, may_see_details) =
        organizations::get(&call.server.app, &call.organization, call.caller.as_ref()).await?;
    let body = OrganizationInstance {
        org_id: organization.id.to_string(),
        org_name: organization.name,
        default_user_preferences: may_see_details.then_some(organization.default_user_preferences),
        tenant_id: None,
    };
    reply::json(StatusCode::OK, &body)
}
