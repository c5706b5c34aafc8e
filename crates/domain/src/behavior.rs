//! Dynamic behavior sets: what an agent does differently when a conversation turns to something.

use serde::{Deserialize, Serialize};

use crate::ToolId;
use crate::context_graph::ResultPersistence;

/// The content of one version of a behavior set.
///
/// Field names are the wire's, so that a version is stored as it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BehaviorDocument {
    /// What a conversation turns to when the set applies, each in plain words.
    pub conversation_triggers: Vec<String>,
    /// What the agent does then.
    pub actions: Vec<BehaviorAction>,
}

/// Something that a behavior set changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum BehaviorAction {
    /// Adds an instruction to those of the state.
    InjectInstruction {
        /// What the agent is told.
        instruction: String,
        /// Whether it stands in place of the state's own instructions.
        overrides_instructions: bool,
    },
    /// Offers other tools than the state does.
    ChangeToolCandidates {
        /// The tools.
        tool_call_specs: Vec<NamedToolCallSpec>,
        /// Whether they stand in place of the state's own tools.
        overrides_existing_tool_call_specs: bool,
    },
}

/// A tool that a behavior set offers, with the name under which people know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct NamedToolCallSpec {
    pub tool_id: ToolId,
    pub version_constraint: String,
    pub additional_instruction: String,
    pub audio_fillers: Vec<String>,
    pub audio_filler_triggered_after: f64,
    pub result_persistence: ResultPersistence,
    pub tool_name: String,
}

impl BehaviorDocument {
    /// Returns every tool that the set offers.
    pub fn tools(&self) -> impl Iterator<Item = ToolId> + '_ {
        self.actions
            .iter()
            .flat_map(|action| match action {
                BehaviorAction::InjectInstruction { .. } => &[],
                BehaviorAction::ChangeToolCandidates { tool_call_specs, .. } => tool_call_specs.as_slice(),
            })
            .map(|spec| spec.tool_id)
    }
}
