//! Lists the versions of a scenario.

use forge_domain::simulation::ScenarioDetails;

use super::Path;
use crate::reply::Answer;
use crate::routes::items::list_versions::{VersionsCall, list};

pub(crate) async fn handle(call: VersionsCall<Path>) -> Answer {
    list::<ScenarioDetails, _>(call.path.simulation_scenario_id, call).await
}
