//! Lists roles.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::identity::roles;
use forge_domain::RoleId;
use forge_wire::roles::{FrontendView, RoleInstance, Roles};
use serde::Deserialize;

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

#[derive(Deserialize)]
pub(crate) struct Query {
    return_permission_grants: bool,
    id: Vec<RoleId>,
    name: Vec<String>,
}

pub(crate) async fn handle(call: Call<Nothing, Query, Nothing, Caller>) -> Answer {
    let query = &call.query;
    let found = roles::list(call.server.ctx(&call.caller), &query.id, &query.name).await?;
    let instances = found.into_iter().map(|role| RoleInstance {
        id: role.id,
        name: role.name,
        description: role.description,
        frontend_view: FrontendView::new(role.has_admin_view),
        permission_grants: if query.return_permission_grants {
            role.grants
        } else {
            Vec::new()
        },
    });
    reply::large(
        StatusCode::OK,
        Roles {
            roles: instances.collect(),
        },
    )
    .await
}
