//! Finding what people name: sets of unit tests by name or id, runs by id.

use forge_client::Client;
use forge_client::simulations::{Run, RunFilter, UnitTestSet};
use forge_domain::UnitTestSetRunId;
use forge_domain::name::is_same;
use serde_json::value::RawValue;

use crate::error::{Failure, Result};
use crate::likeness::{Kind, suggest};

const SETS: Kind = Kind {
    plural: "sets",
    none: "the organization has no unit test set that you may see",
};

/// Finds a set of unit tests by its id or its exact name.
pub(super) async fn unit_test_set(client: &Client, wanted: &str) -> Result<UnitTestSet> {
    if let Ok(id) = wanted.parse() {
        let found = client.unit_test_sets(&[id]).all().await?.value;
        if let Some(set) = found.into_iter().next() {
            return Ok(set);
        }
    }
    choose(client.unit_test_sets(&[]).all().await?.value, wanted)
}

fn choose(all: Vec<UnitTestSet>, wanted: &str) -> Result<UnitTestSet> {
    let (mut named, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|set| is_same(&set.name, wanted));
    if let Some(set) = named.pop() {
        return Ok(set);
    }
    let failure = Failure::failed(format!("there is no unit test set `{wanted}`"));
    let names: Vec<&str> = others.iter().map(|set| set.name.as_str()).collect();
    Err(suggest(failure, wanted, &names, SETS))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_found_by_its_exact_name_and_others_are_suggested() {
        let set = |name: &str| {
            let json = serde_json::json!({"id": "0123456789abcdef01234567", "name": name});
            serde_json::from_value::<UnitTestSet>(json).unwrap()
        };
        assert_eq!(
            choose(vec![set("smoke"), set("night")], "night").unwrap().name,
            "night"
        );
        let failure = choose(vec![set("smoke")], "Smoke").unwrap_err();
        assert_eq!(failure.hints, ["did you mean `smoke`?"]);
        assert!(choose(Vec::new(), "x").unwrap_err().hints[0].contains("no unit test set"));
    }
}
