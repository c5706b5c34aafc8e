//! Lists items.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::items::{self, ItemKind, ItemSort, ListItems};
use forge_domain::Sort;
use forge_wire::items::{FilterValues, list_key};
use serde::Deserialize;

use super::filter::{CreatorForm, Filter};
use super::instances;
use crate::call::{Call, Nothing, invalid_query};
use crate::error::ApiError;
use crate::reply::{self, Answer};
use crate::routes::{sort_key, token};

type ListCall = Call<Nothing, Query, Nothing, Caller>;

#[derive(Deserialize)]
pub(crate) struct Query {
    id: Vec<String>,
    #[serde(default)]
    is_deleted: Option<bool>,
    #[serde(flatten)]
    filter: Filter,
    sort_by: Vec<String>,
    limit: i64,
    continuation_token: i64,
}

pub(crate) async fn behavior_sets(mut call: ListCall) -> Answer {
    // The contract has no word for deleted ones: they are gone.
    call.query.is_deleted = Some(false);
    list(ItemKind::BehaviorSet, CreatorForm::Either, call).await
}

pub(crate) async fn metrics(mut call: ListCall) -> Answer {
    // A deleted one can still be looked up by its id, says the contract; the filter's default is for lists.
    if !call.query.id.is_empty() && !call.names("is_deleted") {
        call.query.is_deleted = None;
    }
    list(ItemKind::Metric, CreatorForm::Either, call).await
}

pub(crate) async fn personas(call: ListCall) -> Answer {
    list(ItemKind::Persona, CreatorForm::WithOrganization, call).await
}

pub(crate) async fn scenarios(call: ListCall) -> Answer {
    list(ItemKind::Scenario, CreatorForm::WithOrganization, call).await
}

async fn list(kind: ItemKind, creators: CreatorForm, call: ListCall) -> Answer {
    let sort = call.query.sort_by.iter().map(|text| sort(text));
    let query = ListItems {
        sort: sort.collect::<Result<_, _>>()?,
        ids: call.query.id,
        is_deleted: call.query.is_deleted,
        filter: call.query.filter.read(creators)?,
        limit: call.query.limit,
        continuation_token: token(call.query.continuation_token)?,
    };
    let found = items::list(call.server.ctx(&call.caller), kind, &query).await?;
    let instances = instances(&call.organization, found.page.items);
    let page = forge_wire::Page::new(list_key(kind), instances, found.page.continuation_token);
    let values = found.filter_values.map(|values| {
        let values = FilterValues {
            creators: values.creators,
            tags: values.tags,
            applied_to_services: values.applied_to_services,
            roles: values.roles,
            value_kinds: values.value_kinds,
        };
        values.of_kind(kind)
    });
    let page = page.with("filter_values", values);
    reply::large(StatusCode::OK, page).await
}

fn sort(text: &str) -> Result<Sort<ItemSort>, ApiError> {
    match sort_key(text) {
        Some((direction, "updated_at")) => Ok(direction.of(ItemSort::UpdatedAt)),
        _ => Err(invalid_query(
            "sort_by",
            "expected `+updated_at` or `-updated_at`",
        )),
    }
}
