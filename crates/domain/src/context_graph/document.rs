//! The shape of a context graph. Field names are the wire's, so that a version is stored as it is sent.

use std::collections::HashSet;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::{ContextGraphId, ToolId};

/// The content of one version of a context graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContextGraphDocument {
    /// What the graph is for.
    pub description: String,
    /// The states inside the graph.
    pub states: Vec<State>,
    /// Where the first conversation of a user starts.
    pub new_user_initial_state: String,
    /// Where every later conversation of a user starts.
    pub returning_user_initial_state: String,
    /// Where a conversation ends.
    pub terminal_state: String,
    /// The versions of other graphs that this one may enter, by the name it gives them.
    pub references: IndexMap<String, (ContextGraphId, i64)>,
    /// Added to the navigation guidelines of every action state.
    pub global_intra_state_navigation_guidelines: Vec<String>,
    /// Added to the action guidelines of every action state.
    pub global_action_guidelines: Vec<String>,
    /// Added to the boundary constraints of every action state.
    pub global_boundary_constraints: Vec<String>,
}

/// One state of a graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum State {
    /// The agent talks with the user towards an objective.
    Action(ActionState),
    /// The agent chooses one of several ways on.
    Decision(DecisionState),
    /// Memories of the user are looked up.
    Recall(RecallState),
    /// A fixed thought is added to the conversation.
    Annotation(AnnotationState),
    /// The agent thinks about a problem.
    Reflection(ReflectionState),
    /// The agent calls one given tool.
    ToolCall(ToolCallState),
}

/// See [`State::Action`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct ActionState {
    pub name: String,
    pub objective: String,
    pub actions: Vec<String>,
    pub intra_state_navigation_guidelines: Vec<String>,
    pub action_guidelines: Vec<String>,
    pub boundary_constraints: Vec<String>,
    pub exit_conditions: Vec<ExitCondition>,
    pub action_tool_call_specs: Vec<ToolCallSpec>,
    pub exit_condition_tool_call_specs: Vec<ToolCallSpec>,
    pub skip_active_memory_retrieval: bool,
}

/// See [`State::Decision`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct DecisionState {
    pub name: String,
    pub exit_conditions: Vec<ExitCondition>,
    pub decision_guidelines: Vec<String>,
    pub objective: String,
    pub tool_call_specs: Vec<ToolCallSpec>,
    pub audio_fillers: Vec<String>,
    pub audio_filler_triggered_after: f64,
}

/// See [`State::Recall`]; exactly one of `queries` and `requested_information` is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct RecallState {
    pub name: String,
    pub queries: Option<Vec<String>>,
    pub requested_information: Option<String>,
    pub next_state: NextState,
}

/// See [`State::Annotation`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct AnnotationState {
    pub name: String,
    pub inner_thought: String,
    pub next_state: NextState,
}

/// See [`State::Reflection`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct ReflectionState {
    pub name: String,
    pub problem: String,
    pub word_limit: i64,
    pub next_state: NextState,
    pub tool_call_specs: Vec<ToolCallSpec>,
    pub audio_fillers: Vec<String>,
    pub audio_filler_triggered_after: f64,
}

/// See [`State::ToolCall`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct ToolCallState {
    pub name: String,
    pub next_state: NextState,
    pub designated_tool: ToolCallSpec,
    pub designated_tool_call_params_generation_audio_fillers: Vec<String>,
    pub designated_tool_call_params_generation_audio_filler_triggered_after: f64,
    pub designated_tool_call_objective: String,
    pub designated_tool_call_context: String,
    pub designated_tool_call_guidances: Vec<String>,
    pub designated_tool_call_validations: Vec<String>,
    pub tool_call_specs: Vec<ToolCallSpec>,
}

/// A way out of a state, and when it is taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExitCondition {
    /// When it is taken.
    pub description: String,
    /// Where it leads.
    pub next_state: NextState,
}

/// Where a state leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NextState {
    /// To a state of the same graph.
    Internal(String),
    /// To `reference.state` in another graph, and from its end back to a state of this one.
    External(String, String),
}

/// A tool that may be called in a state, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct ToolCallSpec {
    pub tool_id: ToolId,
    pub version_constraint: String,
    pub additional_instruction: String,
    pub audio_fillers: Vec<String>,
    pub audio_filler_triggered_after: f64,
    pub result_persistence: ResultPersistence,
}

/// How long the result of a tool call stays visible to the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResultPersistence {
    /// For the call that made it.
    Ephemeral,
    /// For the conversation if it is short enough.
    PersistedPreferred,
    /// For the conversation.
    Persisted,
}

impl State {
    /// Returns the name of the state.
    pub fn name(&self) -> &str {
        match self {
            Self::Action(state) => &state.name,
            Self::Decision(state) => &state.name,
            Self::Recall(state) => &state.name,
            Self::Annotation(state) => &state.name,
            Self::Reflection(state) => &state.name,
            Self::ToolCall(state) => &state.name,
        }
    }

    /// Returns the exit conditions of the state; only action and decision states have any.
    pub fn exit_conditions(&self) -> &[ExitCondition] {
        match self {
            Self::Action(state) => &state.exit_conditions,
            Self::Decision(state) => &state.exit_conditions,
            _ => &[],
        }
    }

    /// Returns where the state leads without a condition; action and decision states do not.
    pub fn next_state(&self) -> Option<&NextState> {
        match self {
            Self::Action(_) | Self::Decision(_) => None,
            Self::Recall(state) => Some(&state.next_state),
            Self::Annotation(state) => Some(&state.next_state),
            Self::Reflection(state) => Some(&state.next_state),
            Self::ToolCall(state) => Some(&state.next_state),
        }
    }

    /// Returns every tool that the state may call.
    pub fn tools(&self) -> impl Iterator<Item = ToolId> + '_ {
        let (first, second, designated): (&[ToolCallSpec], &[ToolCallSpec], Option<&ToolCallSpec>) =
            match self {
                Self::Action(state) => (
                    &state.action_tool_call_specs,
                    &state.exit_condition_tool_call_specs,
                    None,
                ),
                Self::Decision(state) => (&state.tool_call_specs, &[], None),
                Self::Reflection(state) => (&state.tool_call_specs, &[], None),
                Self::ToolCall(state) => (&state.tool_call_specs, &[], Some(&state.designated_tool)),
                Self::Recall(_) | Self::Annotation(_) => (&[], &[], None),
            };
        designated
            .into_iter()
            .chain(first)
            .chain(second)
            .map(|spec| spec.tool_id)
    }
}

impl ContextGraphDocument {
    /// Returns every tool that some state may call.
    pub fn tools(&self) -> impl Iterator<Item = ToolId> + '_ {
        self.states.iter().flat_map(State::tools)
    }

    /// Returns the state of that name.
    pub fn state(&self, name: &str) -> Option<&State> {
        self.states.iter().find(|state| state.name() == name)
    }
}

/// Reads from a stored version which others it refers to, without building the rest of it.
pub fn references_of_stored(document: &str) -> Result<Vec<(ContextGraphId, i64)>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Graph {
        references: IndexMap<String, (ContextGraphId, i64)>,
    }
    let graph: Graph = serde_json::from_str(document)?;
    Ok(graph.references.into_values().collect())
}

/// The names of a graph's states: all that another graph which enters it needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StateNames(HashSet<String>);

impl StateNames {
    /// Reads the names from a stored version without building the rest of it.
    pub fn of_stored(document: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Graph {
            states: Vec<Named>,
        }
        #[derive(Deserialize)]
        struct Named {
            name: String,
        }
        let graph: Graph = serde_json::from_str(document)?;
        Ok(Self(graph.states.into_iter().map(|state| state.name).collect()))
    }

    /// Returns `true` if the graph has a state of that name.
    pub fn contain(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}
