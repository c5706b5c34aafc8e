//! Runs of sets of unit tests.

use forge_app::simulations::unit_test_set_runs::RunView;
use forge_domain::{OrganizationId, UnitTestSetRunId};
use forge_wire::unit_test_set_runs::RunInstance;
use serde::Deserialize;

pub(crate) mod artifacts;
pub(crate) mod cancel;
pub(crate) mod create;
pub(crate) mod download;
pub(crate) mod list;

/// The path of a run.
#[derive(Deserialize)]
pub(crate) struct Path {
    simulation_unit_test_set_run_id: UnitTestSetRunId,
}

/// Returns a run as it is told.
fn instance(organization: &OrganizationId, view: RunView) -> RunInstance {
    RunInstance::new(organization, view.run, &view.conversations, &view.told)
}
