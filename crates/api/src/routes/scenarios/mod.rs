//! Scenarios.

pub(crate) mod create;
pub(crate) mod create_version;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod list_versions;
pub(crate) mod search;
pub(crate) mod update;

use forge_domain::ScenarioId;
use serde::Deserialize;

/// The path of a scenario.
#[derive(Deserialize)]
pub(crate) struct Path {
    pub(crate) simulation_scenario_id: ScenarioId,
}

/// What only scenarios can be filtered by: nothing.
#[derive(Default, Deserialize)]
pub(crate) struct OwnFilter {}

impl From<OwnFilter> for () {
    fn from(_: OwnFilter) -> Self {}
}
