//! Looks for items.

use std::collections::HashMap;

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::items::{self, ItemKind};
use forge_wire::items::list_key;
use serde::Deserialize;

use super::filter::{CreatorForm, Filter};
use super::instances;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

type SearchCall = Call<Nothing, Query, Nothing, Caller>;

#[derive(Deserialize)]
pub(crate) struct Query {
    query: String,
    #[serde(flatten)]
    filter: Filter,
}

pub(crate) async fn behavior_sets(call: SearchCall) -> Answer {
    search(ItemKind::BehaviorSet, call).await
}

pub(crate) async fn personas(call: SearchCall) -> Answer {
    search(ItemKind::Persona, call).await
}

pub(crate) async fn scenarios(call: SearchCall) -> Answer {
    search(ItemKind::Scenario, call).await
}

async fn search(kind: ItemKind, call: SearchCall) -> Answer {
    let filter = call.query.filter.read(CreatorForm::WithOrganization)?;
    let found = items::search(call.server.ctx(&call.caller), kind, &call.query.query, &filter).await?;
    reply::large(
        StatusCode::OK,
        HashMap::from([(list_key(kind), instances(&call.organization, found))]),
    )
    .await
}
