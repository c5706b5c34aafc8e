//! What differs between two sets.

use forge_types::ServiceId;
use serde::Deserialize;
use serde_json::Value;

use crate::answers::{FieldChange, SetRevision};
use crate::request::Request;
use crate::{Client, ClientError, Document};

/// What differs between two sets, or two revisions.
#[derive(Debug, Clone, Deserialize)]
pub struct SetDiff {
    /// The one that is compared to.
    pub base: SetRevision,
    /// The other one.
    pub head: SetRevision,
    /// Whether nothing differs.
    pub is_empty: bool,
    /// The version numbers that differ.
    #[serde(default)]
    pub pins: Vec<FieldChange>,
    /// Preferred models that differ.
    #[serde(default)]
    pub llm_model_preferences: Vec<PreferenceChange>,
    /// What differs in the agent.
    #[serde(default)]
    pub agent: Option<DocumentDiff>,
    /// What differs in the context graph.
    #[serde(default, rename = "service_hierarchical_state_machine")]
    pub context_graph: Option<ContextGraphDiff>,
}

/// A preferred model that differs, or one of its parameters.
#[derive(Debug, Clone, Deserialize)]
pub struct PreferenceChange {
    /// The interaction that the model is for.
    pub interaction: String,
    /// The part that differs; nothing means the whole preference.
    #[serde(default)]
    pub field: Option<String>,
    /// What the base has.
    pub from: Value,
    /// What the head has.
    pub to: Value,
}

/// Fields that differ.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct DocumentDiff {
    /// Each of them.
    #[serde(default)]
    pub changes: Vec<FieldDiff>,
}

/// A field that differs: whole, or line by line.
#[derive(Debug, Clone, Deserialize)]
pub struct FieldDiff {
    /// Its name.
    pub field: String,
    /// What the base has, where the field is told whole.
    #[serde(default)]
    pub from: Value,
    /// What the head has, where the field is told whole.
    #[serde(default)]
    pub to: Value,
    /// The lines that differ, where it is told by lines.
    #[serde(default)]
    pub hunks: Vec<Hunk>,
}

/// Lines that differ, with some around them.
#[derive(Debug, Clone, Deserialize)]
pub struct Hunk {
    /// The number of the first line in the base.
    pub from_line: i64,
    /// The lines.
    pub lines: Vec<Line>,
}

/// A line.
#[derive(Debug, Clone, Deserialize)]
pub struct Line {
    /// `same`, `removed` or `added`.
    pub op: String,
    /// The line itself.
    pub value: Value,
}

/// What differs in a context graph.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ContextGraphDiff {
    /// States that only the head has.
    pub states_added: Vec<String>,
    /// States that only the base has.
    pub states_removed: Vec<String>,
    /// States that differ.
    pub states_changed: Vec<StateDiff>,
    /// Transitions that only the head has.
    pub transitions_added: Vec<Transition>,
    /// Transitions that only the base has.
    pub transitions_removed: Vec<Transition>,
    /// States that the head does not reach and the base does.
    pub states_unreachable: Vec<String>,
    /// Tools that only the head calls.
    pub tools_added: Vec<String>,
    /// Tools that only the base calls.
    pub tools_removed: Vec<String>,
    /// Other fields that differ.
    pub changes: Vec<FieldDiff>,
}

/// A state that differs.
#[derive(Debug, Clone, Deserialize)]
pub struct StateDiff {
    /// Its name.
    pub name: String,
    /// What differs in it.
    #[serde(default)]
    pub changes: Vec<FieldDiff>,
}

/// A way from a state to another one.
#[derive(Debug, Clone, Deserialize)]
pub struct Transition {
    /// Where it begins.
    pub from: String,
    /// Where it leads.
    pub to: String,
}

impl Client {
    /// Compares two sets of a service, or two revisions: each is `name` or `name@revision`.
    ///
    /// # Errors
    ///
    /// [`ClientError::NotFound`] if one of them is not there, [`ClientError::Forbidden`] if the user may not see both.
    pub async fn diff(
        &self,
        service: ServiceId,
        base: &str,
        head: &str,
    ) -> Result<Document<SetDiff>, ClientError> {
        let request = Request::get(format!("service/{service}/version_sets/diff"));
        self.read(request.query("base", base).query("head", head)).await
    }
}
