//! Lists services, each with its sets.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::services::{self, SortKey};
use forge_domain::{ServiceId, Sort};
use forge_wire::services::{FilterValues, ServiceInstance};
use serde::Deserialize;

use crate::call::{Call, Nothing, invalid_query};
use crate::error::ApiError;
use crate::reply::{self, Answer};
use crate::routes::{sort_key, tag_filter, token};

#[derive(Deserialize)]
pub(crate) struct Query {
    id: Vec<ServiceId>,
    #[serde(default)]
    is_active: Option<bool>,
    sort_by: Vec<String>,
    tags: Vec<String>,
    limit: i64,
    continuation_token: i64,
}

pub(crate) async fn handle(call: Call<Nothing, Query, Nothing, Caller>) -> Answer {
    let query = services::ListServices {
        ids: call.query.id,
        is_active: call.query.is_active,
        tags: call
            .query
            .tags
            .iter()
            .map(|text| tag_filter("tags", text))
            .collect::<Result<_, _>>()?,
        sort: call
            .query
            .sort_by
            .iter()
            .map(|text| sort(text))
            .collect::<Result<_, _>>()?,
        limit: call.query.limit,
        continuation_token: token(call.query.continuation_token)?,
    };
    let found = services::list(call.server.ctx(&call.caller), &query).await?;
    let token = found.page.continuation_token;
    let instances = found.page.items.into_iter().map(|(service, sets)| {
        ServiceInstance::new(
            service,
            sets.into_iter().map(|set| (set.name, set.pins)).collect(),
        )
    });
    let instances: Vec<ServiceInstance> = instances.collect();
    let page = forge_wire::Page::new("services", instances, token);
    let page = page.with("filter_values", found.tags.map(FilterValues::new));
    reply::large(StatusCode::OK, page).await
}

fn sort(text: &str) -> Result<Sort<SortKey>, ApiError> {
    match sort_key(text) {
        Some((direction, "name")) => Ok(direction.of(SortKey::Name)),
        Some((direction, "is_active")) => Ok(direction.of(SortKey::IsActive)),
        _ => Err(invalid_query(
            "sort_by",
            "expected `+` or `-` and one of `name`, `is_active`",
        )),
    }
}
