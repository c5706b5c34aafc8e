//! What answers are understood to say.
//!
//! Names are those of the wire, but for `context_graph`, which the wire calls a service hierarchical state machine.

use forge_types::asset::AssetId;
use forge_types::{AgentId, ContextGraphId, ServiceId};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The answer of a sign-in.
#[derive(Deserialize)]
pub(crate) struct SignedIn {
    pub(crate) id_token: String,
    pub(crate) expires_at: String,
}

/// A user of an organization, and what kind of actor did something in their name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Actor {
    /// The organization.
    pub org_id: String,
    /// The user.
    pub user_id: String,
    /// `person`, `key` or `agent`, where told.
    #[serde(default)]
    pub kind: Option<String>,
}

/// A service.
#[derive(Debug, Clone, Deserialize)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Whether conversations may start in it.
    pub is_active: bool,
    /// The agent that speaks.
    pub agent_id: AgentId,
    /// The graph that conversations walk.
    #[serde(rename = "service_hierarchical_state_machine_id")]
    pub context_graph_id: ContextGraphId,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// What its sets pin, by name.
    #[serde(default)]
    pub version_sets: IndexMap<String, Pins>,
}

/// A tag of a service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Tag {
    /// Its key.
    pub key: String,
    /// Its value, if it has one.
    #[serde(default)]
    pub value: Option<String>,
}

/// What a set pins.
///
/// A version that is absent floats.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Pins {
    /// The version of the agent.
    pub agent_version_number: Option<i64>,
    /// The version of the context graph.
    #[serde(rename = "service_hierarchical_state_machine_version_number")]
    pub context_graph_version_number: Option<i64>,
    /// Preferred models by interaction.
    #[serde(default)]
    pub llm_model_preferences: IndexMap<String, ModelPreference>,
}

/// A preferred model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelPreference {
    /// Its name.
    pub llm_name: String,
    /// Its parameters.
    #[serde(default)]
    pub params: Map<String, Value>,
}

/// The versions that pins mean, or `None` where there is no version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Resolved {
    /// Of the agent.
    pub agent_version_number: Option<i64>,
    /// Of the context graph.
    #[serde(rename = "service_hierarchical_state_machine_version_number")]
    pub context_graph_version_number: Option<i64>,
}

/// All sets of a service.
#[derive(Debug, Clone, Deserialize)]
pub struct VersionSets {
    /// The sets by name.
    pub version_sets: Vec<VersionSet>,
}

/// A set, and what it means now.
#[derive(Debug, Clone, Deserialize)]
pub struct VersionSet {
    /// Its name.
    pub name: String,
    /// The number of its latest revision.
    pub revision: i64,
    /// What it pins.
    pub pins: Pins,
    /// The versions that this means now.
    pub resolved: Resolved,
    /// How many versions are newer.
    #[serde(default)]
    pub behind: Behind,
    /// The hold that a rollback left, if there is one.
    #[serde(default)]
    pub hold: Option<Hold>,
    /// What its pins were copied from, if they were.
    #[serde(default)]
    pub source: Option<SetRevision>,
    /// Why it was changed last.
    #[serde(default)]
    pub message: Option<String>,
    /// When it was changed last, in RFC 3339.
    pub updated_at: String,
    /// Who changed it last.
    pub updated_by: Actor,
}

/// A hold on a set.
#[derive(Debug, Clone, Deserialize)]
pub struct Hold {
    /// Why the set was rolled back.
    #[serde(default)]
    pub reason: Option<String>,
    /// Since when, in RFC 3339.
    pub since: String,
    /// Who rolled back.
    pub by: Actor,
}

/// How many versions are newer than those that a set means.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Behind {
    /// Of the agent.
    pub agent: i64,
    /// Of the context graph.
    #[serde(rename = "service_hierarchical_state_machine")]
    pub context_graph: i64,
}

/// A revision of a set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SetRevision {
    /// The set.
    pub name: String,
    /// Its revision, or `None` where the set is new, or where there is no such revision.
    pub revision: Option<i64>,
}

/// What a change would do.
#[derive(Debug, Clone, Deserialize)]
pub struct Plan {
    /// What history would record, such as `promote`.
    pub action: String,
    /// The service whose set would change.
    pub service_id: ServiceId,
    /// The set that would change, and its latest revision so far.
    pub target: SetRevision,
    /// Where its pins would come from.
    #[serde(default)]
    pub source: Option<SetRevision>,
    /// The fields that would change.
    pub changes: Vec<FieldChange>,
    /// The versions that the set would mean right after.
    #[serde(default)]
    pub resolved: Option<Resolved>,
    /// Every rule that forbids it.
    #[serde(default)]
    pub blockers: Vec<Finding>,
    /// What to think twice about.
    #[serde(default)]
    pub warnings: Vec<Finding>,
    /// Whether everything is so already.
    #[serde(default)]
    pub is_no_op: bool,
    /// A hash that fixes all of this and what it depends on.
    pub digest: String,
}

/// What a change of a service would do.
#[derive(Debug, Clone, Deserialize)]
pub struct ServicePlan {
    /// Its fields that would change.
    #[serde(default)]
    pub changes: Vec<FieldChange>,
    /// What would become of each of its sets; none where they go on meaning what they mean.
    #[serde(default)]
    pub version_sets: Vec<Plan>,
    /// Every rule that forbids it.
    #[serde(default)]
    pub blockers: Vec<Finding>,
    /// What to think twice about.
    #[serde(default)]
    pub warnings: Vec<Finding>,
    /// A hash that fixes all of this and what it depends on.
    pub digest: String,
}

/// One field before and after.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct FieldChange {
    /// Its name on the wire.
    pub field: String,
    /// What it holds.
    pub from: Value,
    /// What it would hold.
    pub to: Value,
}

/// One finding of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Finding {
    /// A stable word for programs.
    pub code: String,
    /// What is so.
    pub message: String,
    /// What to do about it.
    #[serde(default)]
    pub hint: Option<String>,
}

/// The answer of a promotion and of a rollback.
#[derive(Debug, Clone, Deserialize)]
pub struct Promotion {
    /// Whether something was written.
    pub applied: bool,
    /// The set's latest revision afterwards.
    pub revision: Option<i64>,
    /// The plan.
    pub plan: Plan,
}

/// The answer of several promotions.
#[derive(Debug, Clone, Deserialize)]
pub struct Promotions {
    /// Whether anything was written.
    pub applied: bool,
    /// The plans, in the order asked for.
    pub plans: Vec<Plan>,
    /// The digest that fixes all of them.
    pub digest: String,
}

/// One entry of a set's history.
#[derive(Debug, Clone, Deserialize)]
pub struct Revision {
    /// Its number.
    pub revision: i64,
    /// What happened, such as `promote`.
    pub action: String,
    /// What it pinned, or `None` if it deleted the set.
    pub pins: Option<Pins>,
    /// The versions that this meant at the time.
    pub resolved: Resolved,
    /// The set and revision that the pins were copied from.
    #[serde(default)]
    pub source: Option<SetRevision>,
    /// The revision that was restored.
    #[serde(default)]
    pub restored_revision: Option<i64>,
    /// Who did it.
    pub actor: Actor,
    /// Why.
    #[serde(default)]
    pub message: Option<String>,
    /// When, in RFC 3339.
    pub created_at: String,
}

/// What a runtime runs.
#[derive(Debug, Clone, Deserialize)]
pub struct Resolution {
    /// The set's name.
    pub name: String,
    /// The set's revision.
    pub revision: i64,
    /// The agent's id and version.
    pub agent_version_info: (String, i64),
    /// The context graph's id and version.
    #[serde(rename = "service_hierarchical_state_machine_version_info")]
    pub context_graph_version_info: (String, i64),
}

/// An agent or a context graph.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Its id, which says which of the two it is.
    pub id: AssetId,
    /// Its name.
    pub name: String,
    /// Whether it is deprecated.
    pub deprecated: bool,
    /// Its newest version, if it has any.
    pub latest_version: Option<i64>,
}

/// A version of an agent or of a context graph.
#[derive(Debug, Clone, Deserialize)]
pub struct AssetVersion {
    /// Its number.
    pub version: i64,
    /// When it was created, in RFC 3339.
    pub created_at: String,
    /// Who created it.
    pub creator: Actor,
    /// That it is yanked, if it is.
    #[serde(default)]
    pub yanked: Option<Yank>,
}

/// Says that a version is yanked.
#[derive(Debug, Clone, Deserialize)]
pub struct Yank {
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// What tells it from another yank; empty if the server tells nothing that does, and then none is changed.
    #[serde(default)]
    pub etag: String,
}
