//! Lists runs, and what came of them so far.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::simulations::unit_test_set_runs::{self, ListRuns};
use forge_domain::simulation::RunFilter;
use forge_domain::{UnitTestSetId, UnitTestSetRunId};
use forge_wire::unit_test_set_runs::{RunFilterValues, RunInstance};
use serde::Deserialize;

use super::instance;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::unit_tests::creators;
use crate::routes::{moment, only_sort_key, token};

#[derive(Deserialize)]
pub(crate) struct Query {
    id: Vec<UnitTestSetRunId>,
    limit: i64,
    continuation_token: i64,
    creator: Vec<String>,
    sort_by: Vec<String>,
    simulation_unit_test_set_id: Vec<UnitTestSetId>,
    #[serde(default)]
    is_completed: Option<bool>,
    #[serde(default)]
    failed_metrics: Option<bool>,
    #[serde(default)]
    errored: Option<bool>,
    #[serde(default)]
    created_after: Option<String>,
    #[serde(default)]
    created_before: Option<String>,
}

pub(crate) async fn handle(call: Call<Nothing, Query, Nothing, Caller>) -> Answer {
    let query = call.query;
    let time = |name, text: Option<String>| text.map(|text| moment(name, &text)).transpose();
    let query = ListRuns {
        filter: RunFilter {
            ids: query.id,
            creators: creators(&query.creator)?,
            unit_test_sets: query.simulation_unit_test_set_id,
            is_completed: query.is_completed,
            failed_metrics: query.failed_metrics,
            errored: query.errored,
            created_after: time("created_after", query.created_after)?,
            created_before: time("created_before", query.created_before)?,
        },
        by_creation: only_sort_key("created_at", &query.sort_by)?,
        limit: query.limit,
        continuation_token: token(query.continuation_token)?,
    };
    let found = unit_test_set_runs::list(call.server.ctx(&call.caller), &query).await?;
    let token = found.page.continuation_token;
    let runs = found.page.items.into_iter();
    let runs: Vec<RunInstance> = runs.map(|view| instance(&call.organization, view)).collect();
    let page = forge_wire::Page::new("simulation_unit_test_set_runs", runs, token);
    let values = found.filter_values.map(RunFilterValues::from);
    let page = page.with("filter_values", values);
    reply::large(StatusCode::OK, page).await
}
