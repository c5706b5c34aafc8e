//! Lists temporary permission grants.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::identity::temporary_grants;
use forge_domain::Sort;
use forge_domain::id::TemporaryGrantId;
use forge_wire::rfc3339;
use forge_wire::temporary_grants::TemporaryGrantInstance;
use serde::Deserialize;

use crate::call::{Call, Nothing, invalid_query};
use crate::error::ApiError;
use crate::reply::{self, Answer};
use crate::routes::{sort_key, tag_filter, token};

#[derive(Deserialize)]
pub(crate) struct Query {
    id: Vec<TemporaryGrantId>,
    user_id: Vec<String>,
    #[serde(default)]
    permission_grant_name: Option<String>,
    #[serde(default)]
    is_expired: Option<bool>,
    limit: i64,
    continuation_token: i64,
    creator: Vec<String>,
    tag: Vec<String>,
    sort_by: Vec<String>,
}

pub(crate) async fn handle(call: Call<Nothing, Query, Nothing, Caller>) -> Answer {
    let query = call.query;
    let query = temporary_grants::ListGrants {
        ids: query.id.into_iter().collect(),
        user_ids: query.user_id.into_iter().collect(),
        creators: query.creator.into_iter().collect(),
        permission_name: query.permission_grant_name,
        is_expired: query.is_expired,
        tags: query
            .tag
            .iter()
            .map(|text| tag_filter("tag", text))
            .collect::<Result<_, _>>()?,
        sort: query
            .sort_by
            .iter()
            .map(|text| sort(text))
            .collect::<Result<_, _>>()?,
        limit: query.limit,
        continuation_token: token(query.continuation_token)?,
    };
    let page = temporary_grants::list(call.server.ctx(&call.caller), &query).await?;
    let instances = page.items.into_iter().map(|grant| TemporaryGrantInstance {
        expires_at: rfc3339(grant.end()),
        object_id: grant.id,
        org_id: call.organization.to_string(),
        created_at: rfc3339(grant.created_at),
        // It changes only by ending before its time.
        updated_at: rfc3339(grant.ended_at.unwrap_or(grant.created_at)),
        user_id: grant.user_id,
        permission_grant: grant.grant,
        justification: grant.justification,
        creator: grant.creator,
        tags: grant.tags,
    });
    let instances: Vec<TemporaryGrantInstance> = instances.collect();
    let page = forge_wire::Page::new("temporary_permission_grants", instances, page.continuation_token);
    reply::large(StatusCode::OK, page).await
}

fn sort(text: &str) -> Result<Sort<temporary_grants::TemporaryGrantSort>, ApiError> {
    use temporary_grants::TemporaryGrantSort::{ExpiresAt, PermissionName, UserId};
    match sort_key(text) {
        Some((direction, "user_id")) => Ok(direction.of(UserId)),
        Some((direction, "expires_at")) => Ok(direction.of(ExpiresAt)),
        Some((direction, "permission_grant.permission_name")) => Ok(direction.of(PermissionName)),
        _ => Err(invalid_query(
            "sort_by",
            "expected `+` or `-` and one of `user_id`, `expires_at`, `permission_grant.permission_name`",
        )),
    }
}
