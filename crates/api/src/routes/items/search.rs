//! Searches items of a kind.

use std::collections::HashMap;

use axum::http::StatusCode;
use forge_app::{Caller, items};
use forge_wire::items::{ItemAnswers, list_key};
use serde::Deserialize;

use super::filter::{self, CreatorForm};
use super::instances;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

/// The call of a search of items that have `F` of their own to be filtered by.
pub(crate) type SearchCall<F> = Call<Nothing, Query<F>, Nothing, Caller>;

#[derive(Deserialize)]
pub(crate) struct Query<F> {
    #[serde(rename = "query")]
    text: String,
    #[serde(default)]
    creator: Vec<String>,
    #[serde(default)]
    tag: Vec<String>,
    #[serde(flatten)]
    own: F,
}

/// Answers a search.
pub(crate) async fn search<D: ItemAnswers, F: Into<D::Filter>>(call: SearchCall<F>) -> Answer {
    let (form, query) = (CreatorForm::WithOrganization, call.query);
    let filter = filter::read::<D>(&query.creator, form, &query.tag, query.own)?;
    let found = items::search(call.server.ctx(&call.caller), &query.text, &filter).await?;
    let found = instances(&call.organization, found);
    reply::large(StatusCode::OK, HashMap::from([(list_key(D::KIND), found)])).await
}
