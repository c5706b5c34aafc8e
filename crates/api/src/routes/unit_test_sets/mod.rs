//! Sets of unit tests.

use forge_domain::UnitTestSetId;
use serde::Deserialize;

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod search;
pub(crate) mod update;

/// The path of a set.
#[derive(Deserialize)]
pub(crate) struct Path {
    simulation_unit_test_set_id: UnitTestSetId,
}
