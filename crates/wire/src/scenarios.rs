//! Scenarios of simulations.

use forge_domain::service::Tags;
use forge_domain::simulation::InitialMessageType;
use serde::{Deserialize, Serialize};

/// The body that creates a scenario.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct CreateScenario {
    pub name: String,
    pub tags: Tags,
    pub initial_version: CreateScenarioVersion,
}

/// The body that creates a version of a scenario.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct CreateScenarioVersion {
    pub objective: String,
    pub instructions: String,
    pub initial_message_type: InitialMessageType,
    /// A time in RFC 3339.
    pub conversation_starts_at: Option<String>,
}

/// The answer of creating a scenario.
#[derive(Debug, Serialize)]
pub struct ScenarioCreated {
    /// Its id.
    pub simulation_scenario_id: String,
}
