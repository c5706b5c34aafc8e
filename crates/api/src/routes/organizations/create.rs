//! Creates an organization, for the operator's users.

use axum::http::StatusCode;
use forge_app::identity::organizations;
use forge_domain::fault::Fault;
use forge_wire::organizations::{CreateOrganization, OrganizationCreated};
use serde::Deserialize;

use crate::call::{Call, Nothing};
use crate::caller::Founder;
use crate::error::ApiError;
use crate::reply::{self, Answer};

/// The header that names the cluster; there is one.
const CLUSTER_HEADER: &str = "x-mongo-cluster-name";
const CLUSTER: &str = "default";

#[derive(Deserialize)]
pub(crate) struct Path {
    organization: String,
}

pub(crate) async fn handle(call: Call<Path, Nothing, CreateOrganization, Founder>) -> Answer {
    if call
        .headers
        .get(CLUSTER_HEADER)
        .is_none_or(|name| name != CLUSTER)
    {
        let loc = vec!["header".into(), CLUSTER_HEADER.into()];
        let msg = format!("there is no such cluster; the only one is `{CLUSTER}`");
        return Err(ApiError::Invalid(vec![Fault::new(loc, "unknown_cluster", msg)]));
    }
    let (name, preferences) = (&call.body.org_name, &call.body.default_user_preferences);
    let Founder(caller) = &call.caller;
    let id = organizations::create_for(
        call.server.ctx(caller),
        &call.path.organization,
        name,
        preferences,
    )
    .await?;
    reply::json(
        StatusCode::CREATED,
        &OrganizationCreated {
            org_id: id.to_string(),
        },
    )
}
