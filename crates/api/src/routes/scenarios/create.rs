//! Creates a scenario with its first version.

use forge_app::Caller;
use forge_app::items::scenarios;
use forge_wire::scenarios::{CreateScenario, ScenarioCreated};

use super::create_version::document;
use crate::call::{Call, Nothing};
use crate::reply::{Answer, created};

pub(crate) async fn handle(call: Call<Nothing, Nothing, CreateScenario, Caller>) -> Answer {
    let create = forge_domain::simulation::CreateScenario {
        name: call.body.name,
        tags: call.body.tags,
        document: document(call.body.initial_version, &["body", "initial_version"])?,
    };
    let written = scenarios::create(call.server.ctx(&call.caller), create).await?;
    created(written, |simulation_scenario_id| ScenarioCreated {
        simulation_scenario_id,
    })
}
