//! What an agent does before it speaks; the stream tells whoever may know.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{BehaviorSetId, ContextGraphId, VersionNumber};

/// A graph and the number of its version.
pub type GraphVersion = (ContextGraphId, VersionNumber);

/// A step of the agent, as `current-agent-action` events tell it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub enum AgentAction {
    /// Which behavior set applies, if any.
    SelectDynamicBehaviorCompleted {
        selected_dynamic_behavior_set_version_info: Option<(BehaviorSetId, VersionNumber)>,
        previous_selected_dynamic_behavior_set_version_info: Option<(BehaviorSetId, VersionNumber)>,
    },
    /// What has to be recalled before the agent acts, if anything.
    CheckIfActiveMemoryNeededCompleted { queries: Vec<String> },
    /// It was recalled.
    ExtractActiveMemoriesCompleted {
        queries_and_responses: Vec<(String, String)>,
    },
    /// The behavior set changes what the state says.
    NavigateStateMachineDynamicBehaviorOverride {
        overriding_instructions: bool,
        overriding_tool_candidates: bool,
    },
    /// An action of the current action state was chosen.
    NavigateStateMachineActionStateActionSelected { action: String },
    /// A decision state is being decided.
    NavigateStateMachineDecisionStateDecisionStarted {},
    /// An exit condition holds.
    NavigateStateMachineExitConditionSelected {
        exit_condition: String,
        next_state_state_machine_version_info: GraphVersion,
        next_state_name: String,
    },
    /// The queries of a recall state were made up.
    NavigateStateMachineRecallStateDynamicQueriesGenerated {
        dynamic_queries: Vec<String>,
        requested_information: String,
    },
    /// The queries of a recall state were read from it.
    NavigateStateMachineRecallStateStaticQueriesRetrieved { static_queries: Vec<String> },
    /// The queries of a recall state were answered.
    NavigateStateMachineRecallStateActiveMemoryRetrieved {
        queries_and_responses: Vec<(String, String)>,
    },
    /// The problem of a reflection state was read from it.
    NavigateStateMachineReflectionStatePromptRetrieved { prompt: String },
    /// The agent has thought about it.
    NavigateStateMachineReflectionStateReflectionGenerated { reflection: String },
    /// The thought of an annotation state was read from it.
    NavigateStateMachineAnnotationStateAnnotationRetrieved { annotation: String },
    /// Another state is entered.
    NavigateStateMachineStateTransitioned {
        prev_state: String,
        prev_state_state_machine_version_info: GraphVersion,
        next_state: String,
        next_state_state_machine_version_info: GraphVersion,
    },
    /// A tool-call state is about to call its tool.
    DesignatedToolRetrieved { tool_id: String, tool_version: String },
    /// With what.
    DesignatedToolCallParamsGenerated {
        tool_id: String,
        tool_version: String,
        tool_call_params: Map<String, Value>,
    },
    /// What the tool of a tool-call state answered.
    NavigateStateMachineToolCallStateToolOutputAvailable {
        tool_id: String,
        tool_version: String,
        tool_output: String,
        /// In seconds.
        duration: f64,
        input_arguments: Map<String, Value>,
    },
    /// A tool is being called.
    ToolCallStarted {
        tool_round_index: u32,
        tool_id: String,
        tool_version: String,
        input_params: Map<String, Value>,
    },
    /// A tool has answered.
    ToolCallEnded {
        tool_round_index: u32,
        tool_id: String,
        tool_version: String,
        input_parameters: Map<String, Value>,
        result: String,
        /// In seconds.
        duration: f64,
    },
    /// The behavior set changes how the agent speaks.
    EngageUserDynamicBehaviorOverride {
        overriding_instructions: bool,
        overriding_tool_candidates: bool,
    },
    /// A piece of what the agent says.
    EngageUserMessageFragmentGenerated {
        index: u32,
        fragment: String,
        is_final: bool,
    },
}
