//! Searches sets of unit tests.

use std::collections::HashMap;

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::simulations::unit_test_sets;
use forge_domain::UnitTestId;
use forge_domain::simulation::UnitTestSetFilter;
use forge_wire::unit_test_sets::UnitTestSetInstance;
use forge_wire::unit_tests::Found;
use serde::Deserialize;

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::tag_filter;
use crate::routes::unit_tests::creators;

#[derive(Deserialize)]
pub(crate) struct Query {
    #[serde(rename = "query")]
    text: String,
    creator: Vec<String>,
    tag: Vec<String>,
    unit_test_id: Vec<UnitTestId>,
}

pub(crate) async fn handle(call: Call<Nothing, Query, Nothing, Caller>) -> Answer {
    let query = call.query;
    let tags = query.tag.iter().map(|text| tag_filter("tag", text));
    let filter = UnitTestSetFilter {
        unit_tests: query.unit_test_id,
        creators: creators(&query.creator)?,
        tags: tags.collect::<Result<_, _>>()?,
        ..UnitTestSetFilter::default()
    };
    let found = unit_test_sets::search(call.server.ctx(&call.caller), &query.text, &filter).await?;
    let found = found.into_iter().map(|set| Found {
        id: set.id,
        fields: UnitTestSetInstance::new(&call.organization, set),
    });
    let found: Vec<_> = found.collect();
    reply::large(
        StatusCode::OK,
        HashMap::from([("simulation_unit_test_sets", found)]),
    )
    .await
}
