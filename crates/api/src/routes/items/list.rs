//! Lists items of a kind.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::items::{self, ItemSort, ListItems};
use forge_domain::{Id, Sort};
use forge_wire::items::{ItemAnswers, list_key};
use serde::Deserialize;

use super::filter::{self, CreatorForm};
use super::instances;
use crate::call::{Call, Nothing, invalid_query};
use crate::error::ApiError;
use crate::reply::{self, Answer};
use crate::routes::{sort_key, token};

/// The call of a list of items that have `F` of their own to be filtered by.
pub(crate) type ListCall<D, F> = Call<Nothing, Query<D, F>, Nothing, Caller>;

#[derive(Deserialize)]
#[serde(bound(deserialize = "F: Deserialize<'de>"))]
pub(crate) struct Query<D: ItemAnswers, F> {
    pub(crate) id: Vec<Id<D::IdKind>>,
    #[serde(default)]
    pub(crate) is_deleted: Option<bool>,
    #[serde(default)]
    creator: Vec<String>,
    #[serde(default)]
    tag: Vec<String>,
    #[serde(flatten)]
    own: F,
    sort_by: Vec<String>,
    limit: i64,
    continuation_token: i64,
}

/// Answers a list, whose query may name creators in this form.
pub(crate) async fn list<D: ItemAnswers, F: Into<D::Filter>>(
    form: CreatorForm,
    call: ListCall<D, F>,
) -> Answer {
    let sort = call.query.sort_by.iter().map(|text| sort(text));
    let query = ListItems {
        sort: sort.collect::<Result<_, _>>()?,
        ids: call.query.id,
        is_deleted: call.query.is_deleted,
        filter: filter::read::<D>(&call.query.creator, form, &call.query.tag, call.query.own)?,
        limit: call.query.limit,
        continuation_token: token(call.query.continuation_token)?,
    };
    let found = items::list(call.server.ctx(&call.caller), &query).await?;
    let instances = instances(&call.organization, found.page.items);
    let page = forge_wire::Page::new(list_key(D::KIND), instances, found.page.continuation_token);
    let page = page.with("filter_values", found.filter_values.map(D::filter_values));
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
