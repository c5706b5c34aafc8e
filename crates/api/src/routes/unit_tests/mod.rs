//! Unit tests.

use forge_domain::fault::Fault;
use forge_domain::{UnitTestId, UserRef};
use serde::Deserialize;

use crate::call::invalid_query;
use crate::error::ApiError;
use crate::routes::user_ref;

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod search;
pub(crate) mod update;

/// How many conversations a test may ask for each time it is run.
const MAX_RUN_COUNT: u32 = 100;

/// The path of a unit test.
#[derive(Deserialize)]
pub(crate) struct Path {
    simulation_unit_test_id: UnitTestId,
}

/// Returns the users that the query parameter `creator` names, each as `org_id,user_id`.
pub(crate) fn creators(texts: &[String]) -> Result<Vec<UserRef>, ApiError> {
    let users: Option<Vec<UserRef>> = texts.iter().map(|text| user_ref(text)).collect();
    users.ok_or_else(|| invalid_query("creator", "expected `org_id,user_id`"))
}

fn refuse_many_runs(run_count: Option<u32>) -> Result<(), ApiError> {
    if run_count.is_none_or(|count| count <= MAX_RUN_COUNT) {
        return Ok(());
    }
    let loc = vec!["body".into(), "run_count".into()];
    let msg = format!("must be at most {MAX_RUN_COUNT}");
    Err(ApiError::Invalid(vec![Fault::new(loc, "less_than_equal", msg)]))
}
