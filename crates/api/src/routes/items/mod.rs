//! What the endpoints of dynamic behavior sets, metrics, personas and scenarios have in common.

mod filter;
pub(crate) mod list;
pub(crate) mod list_versions;
pub(crate) mod search;

use axum::http::StatusCode;
use forge_app::Written;
use forge_domain::OrganizationId;
use forge_domain::item::Item;
use forge_wire::items::ItemAnswers;
use serde::Serialize;

pub(crate) use filter::CreatorForm;

use crate::reply::{self, Answer};

fn instances<D: ItemAnswers>(organization: &OrganizationId, items: Vec<Item<D>>) -> Vec<D::Instance> {
    let instance = |item| D::instance(organization, item);
    items.into_iter().map(instance).collect()
}

/// Answers that something was created, with the body that says what.
pub(crate) fn created<T, B: Serialize>(written: Written<T>, body: impl FnOnce(T) -> B) -> Answer {
    let response = reply::json(StatusCode::CREATED, &body(written.value))?;
    Ok(reply::with_sequence(response, Some(written.change_number)))
}
