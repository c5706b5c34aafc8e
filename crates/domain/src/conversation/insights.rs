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

impl Insights {
    /// Takes out everything that may repeat what the user or the agent said, or what is known of the user.
    ///
    /// How the agent went about it stays.
    pub fn keep_words_back(&mut self) {
        self.working_memory.clear();
        self.reflections.clear();
        for transition in &mut self.state_transition_logs {
            transition.cause.keep_words_back();
        }
        keep_rounds_back(&mut self.select_next_action_tool_call_logs);
        keep_rounds_back(&mut self.engage_user_tool_call_logs);
        for error in self.model_calls.iter_mut().filter_map(|call| call.error.as_mut()) {
            // Why an answer was of no use may quote it.
            "the reason is told to who may read the messages".clone_into(error);
        }
    }
}

impl TransitionCause {
    fn keep_words_back(&mut self) {
        match self {
            Self::Action { tool_call_logs, .. }
            | Self::Decision { tool_call_logs, .. }
            | Self::Reflection { tool_call_logs, .. } => keep_rounds_back(tool_call_logs),
            Self::Recall { performed_queries } => performed_queries.clear(),
            Self::ToolCall {
                tool_call_logs,
                designated_tool_call_log,
            } => {
                keep_rounds_back(tool_call_logs);
                designated_tool_call_log.keep_words_back();
            }
            Self::Jumpback {} | Self::Annotation { .. } => {}
        }
    }
}

fn keep_rounds_back(rounds: &mut [Vec<ToolCallLog>]) {
    rounds.iter_mut().flatten().for_each(ToolCallLog::keep_words_back);
}

impl ToolCallLog {
    fn keep_words_back(&mut self) {
        self.input.clear();
        self.output = None;
    }
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Insights;

    fn log() -> Value {
        json!({"tool_name": "records", "tool_id": "t", "tool_version": "1", "input": {"complaint": "said"},
            "output": "said", "duration": 0.5})
    }

    fn transition(more: Value) -> Value {
        let info = json!(["65f1c0ffee65f1c0ffee65f1", 1]);
        let mut all = json!({"previous_state": "a", "next_state": "b",
            "previous_service_hierarchical_state_machine_version_info": info,
            "next_service_hierarchical_state_machine_version_info": info});
        let fields = more.as_object().cloned().unwrap_or_default();
        all.as_object_mut()
            .into_iter()
            .for_each(|all| all.extend(fields.clone()));
        all
    }

    #[test]
    fn what_was_said_stays_nowhere_in_it() {
        let (rounds, thought) = (json!([[log(), log()], [log()]]), "65f1c0ffee65f1c0ffee65f2");
        let all = json!({
            "current_state_name": "b", "current_state_action": "greet", "current_state_objective": "o",
            "state_transition_logs": [
                transition(json!({"type": "action", "previous_state_exit_condition_description": "c", "tool_call_logs": rounds})),
                transition(json!({"type": "decision", "previous_state_exit_condition_description": "c",
                    "tool_call_logs": rounds})),
                transition(json!({"type": "recall", "performed_queries": ["said"]})),
                transition(json!({"type": "jumpback"})),
                transition(json!({"type": "annotation", "inner_thought_message_id": thought})),
                transition(json!({"type": "reflection", "inner_thought_message_id": thought, "tool_call_logs": rounds})),
                transition(json!({"type": "tool-call", "tool_call_logs": rounds, "designated_tool_call_log": log()})),
            ],
            "working_memory": [{"content": "said", "context": "said"}],
            "reflections": ["said"],
            "triggered_dynamic_behavior_set_version_info": null,
            "select_next_action_tool_call_logs": rounds,
            "engage_user_tool_call_logs": rounds,
            "model_calls": [{"interaction": "decide", "model": "m", "provider": "p", "is_scripted": true, "attempt": 1,
                "prompt_tokens": null, "completion_tokens": null, "duration_ms": 1, "error": "no answer: said"}],
            "current_graph": null,
        });
        let mut insights: Insights = serde_json::from_value(all).unwrap();
        insights.keep_words_back();
        let told = serde_json::to_string(&insights).unwrap();
        assert!(!told.contains("said"), "{told}");
        assert_eq!(insights.state_transition_logs.len(), 7);
        assert_eq!(insights.engage_user_tool_call_logs[0][1].tool_name, "records");
    }
}
