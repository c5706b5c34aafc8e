//! What an interaction did, for those who may look behind it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::GraphVersion;
use crate::{BehaviorSetId, MessageId, VersionNumber};

/// How the agent came to its message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct Insights {
    pub current_state_name: String,
    pub current_state_action: String,
    pub current_state_objective: String,
    pub state_transition_logs: Vec<Transition>,
    pub working_memory: Vec<WorkingMemory>,
    pub reflections: Vec<String>,
    pub triggered_dynamic_behavior_set_version_info: Option<(BehaviorSetId, VersionNumber)>,
    /// A list for each round of tool calls.
    pub select_next_action_tool_call_logs: Vec<Vec<ToolCallLog>>,
    /// A list for each round of tool calls.
    pub engage_user_tool_call_logs: Vec<Vec<ToolCallLog>>,
    /// Every call of a model, in order. An extension of the contract.
    pub model_calls: Vec<ModelCall>,
    /// The graph that the current state is in. Not part of the contract's answer: permissions are about it.
    pub current_graph: Option<GraphVersion>,
}

/// From one state to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct Transition {
    pub previous_state: String,
    pub previous_service_hierarchical_state_machine_version_info: GraphVersion,
    pub next_state: String,
    pub next_service_hierarchical_state_machine_version_info: GraphVersion,
    #[serde(flatten)]
    pub cause: TransitionCause,
}

/// Why it went on, by the kind of state that it left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub enum TransitionCause {
    Action {
        previous_state_exit_condition_description: String,
        tool_call_logs: Vec<Vec<ToolCallLog>>,
    },
    Decision {
        previous_state_exit_condition_description: String,
        tool_call_logs: Vec<Vec<ToolCallLog>>,
    },
    Recall {
        performed_queries: Vec<String>,
    },
    Jumpback {},
    Annotation {
        inner_thought_message_id: MessageId,
    },
    Reflection {
        inner_thought_message_id: MessageId,
        tool_call_logs: Vec<Vec<ToolCallLog>>,
    },
    ToolCall {
        tool_call_logs: Vec<Vec<ToolCallLog>>,
        designated_tool_call_log: ToolCallLog,
    },
}

/// One call of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct ToolCallLog {
    pub tool_name: String,
    pub tool_id: String,
    pub tool_version: String,
    pub input: Map<String, Value>,
    /// Nothing where the result was for the one model call only.
    pub output: Option<String>,
    /// In seconds.
    pub duration: f64,
}

/// Something that the agent remembered of the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct WorkingMemory {
    pub content: String,
    pub context: String,
}

/// One call of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCall {
    /// The named interaction that it was for.
    pub interaction: String,
    /// The model, by its name in the catalogue.
    pub model: String,
    /// Who served it.
    pub provider: String,
    /// Whether the answer came from a script instead of a model.
    pub is_scripted: bool,
    /// Which attempt it was, from 1: answers that cannot be read are asked for again.
    pub attempt: u32,
    /// Tokens of the prompt, if the provider says.
    pub prompt_tokens: Option<i64>,
    /// Tokens of the answer, if the provider says.
    pub completion_tokens: Option<i64>,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// Why the answer was of no use, if so.
    pub error: Option<String>,
}
