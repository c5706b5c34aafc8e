//! Finding what people name: sets of unit tests by name or id, runs by id.

use forge_client::Client;
use forge_client::simulations::{Run, RunFilter, UnitTestSet};
use forge_domain::UnitTestSetRunId;
use serde_json::value::RawValue;

use crate::error::{Failure, Result};
use crate::finder::{self, Noun};

/// Finds a set of unit tests by its id or its exact name.
pub(super) async fn unit_test_set(client: &Client, wanted: &str) -> Result<UnitTestSet> {
    if let Ok(id) = wanted.parse() {
        let found = client.unit_test_sets(&[id]).all().await?.value;
        if let Some(set) = found.into_iter().next() {
            return Ok(set);
        }
    }
    let all = client.unit_test_sets(&[]).all().await?.value;
    Ok(finder::by_name(all, wanted, Noun::UNIT_TEST_SET)?.thing)
}

/// Finds a run, and the document that the server sent of it.
pub(super) async fn run(client: &Client, id: UnitTestSetRunId) -> Result<(Run, Box<RawValue>)> {
    let filter = RunFilter {
        ids: vec![id],
        ..RunFilter::default()
    };
    let page = client.runs(filter).at_most(1).await?;
    let found = page.value.into_iter().zip(page.rows).next();
    found.ok_or_else(|| {
        Failure::failed(format!("there is no run {id} that you may see"))
            .hint("`forge sim list` tells the runs there are")
    })
}
