//! Version sets.

use forge_domain::diff::SetDiff;
use forge_domain::model::ModelPreferences;
use forge_domain::version_set::{RequestedPins, ResolvedPins};
use forge_domain::{AgentId, ContextGraphId, Pins, ServiceId, SetName, UnitTestId, UserRef, VersionNumber};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The body that replaces a set.
#[derive(Debug, Deserialize)]
pub struct UpsertVersionSet {
    /// What it is to pin.
    pub version_set: RequestedPins,
}

/// A set, and what it means now.
#[derive(Debug, Serialize)]
pub struct VersionSetInstance {
    /// Its name.
    pub name: SetName,
    /// The number of its latest revision.
    pub revision: i64,
    /// What it pins.
    pub pins: Pins,
    /// The versions that this means now.
    pub resolved: ResolvedPins,
    /// Whether either version floats.
    pub is_floating: bool,
    /// How many versions are newer.
    pub behind: Behind,
    /// The hold that a rollback left, if there is one.
    pub hold: Option<HoldInstance>,
    /// What its pins were copied from, if they were.
    pub source: Option<Source>,
    /// Why it was changed last.
    pub message: Option<String>,
    /// When it was changed last.
    pub updated_at: String,
    /// Who changed it last.
    pub updated_by: UserRef,
    /// The unit tests that name it.
    pub unit_tests: Vec<UnitTestId>,
    /// How many unfinished conversations it started.
    pub running_conversations: i64,
}

/// A hold on a set.
#[derive(Debug, Serialize)]
pub struct HoldInstance {
    /// Why the set was rolled back.
    pub reason: Option<String>,
    /// Since when.
    pub since: String,
    /// Who rolled back.
    pub by: UserRef,
}

/// How many versions are newer than those that a set means.
#[derive(Debug, Serialize)]
pub struct Behind {
    /// Of the agent.
    pub agent: i64,
    /// Of the context graph.
    #[serde(rename = "service_hierarchical_state_machine")]
    pub context_graph: i64,
}

/// A revision of a set.
#[derive(Debug, Serialize)]
pub struct Source {
    /// The set.
    pub name: SetName,
    /// Its revision.
    pub revision: i64,
}

/// All sets of a service.
#[derive(Debug, Serialize)]
pub struct VersionSets {
    /// The sets by name.
    pub version_sets: Vec<VersionSetInstance>,
}

/// What a runtime runs.
#[derive(Debug, Serialize)]
pub struct ResolutionInstance {
    /// The set's name.
    pub name: SetName,
    /// The agent's id and version.
    pub agent_version_info: (AgentId, VersionNumber),
    /// The context graph's id and version.
    #[serde(rename = "service_hierarchical_state_machine_version_info")]
    pub context_graph_version_info: (ContextGraphId, VersionNumber),
    /// Preferred models by interaction.
    pub llm_model_preferences: ModelPreferences,
    /// The service.
    pub service_id: ServiceId,
    /// The set's revision.
    pub revision: i64,
    /// Whether either version floats.
    pub is_floating: bool,
    /// The version of the agent, where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<Map<String, Value>>,
    /// The version of the context graph, where asked for.
    #[serde(
        rename = "service_hierarchical_state_machine",
        skip_serializing_if = "Option::is_none"
    )]
    pub context_graph: Option<Map<String, Value>>,
}

/// One side of a comparison.
#[derive(Debug, Serialize)]
pub struct ComparedInstance {
    /// The set.
    pub name: SetName,
    /// Its revision.
    pub revision: i64,
    /// What the revision pins.
    pub pins: Pins,
    /// The versions that this means: now if it is the set's latest revision, else when it was replaced.
    pub resolved: ResolvedPins,
    /// The agent of the service.
    pub agent_id: AgentId,
    /// The context graph of the service.
    #[serde(rename = "service_hierarchical_state_machine_id")]
    pub context_graph_id: ContextGraphId,
}

/// In what two sets or revisions differ.
#[derive(Debug, Serialize)]
pub struct DiffInstance {
    /// What is compared.
    pub base: ComparedInstance,
    /// What it is compared with.
    pub head: ComparedInstance,
    /// Whether nothing differs.
    pub is_empty: bool,
    /// In what the head differs from the base.
    #[serde(flatten)]
    pub diff: SetDiff,
}
