//! Where a conversation stands between two interactions.

use serde::{Deserialize, Serialize};

use super::{GraphVersion, WorkingMemory};
use crate::{BehaviorSetId, VersionNumber};

/// Where a conversation stands in its context graph, and what it keeps in mind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Position {
    /// The graphs that it is in, the outermost first: each entered the next one. Empty before the first interaction.
    pub frames: Vec<Frame>,
    /// What was recalled so far.
    pub working_memory: Vec<WorkingMemory>,
    /// The queries that were answered already; nobody asks them twice.
    pub performed_queries: Vec<String>,
    /// Results of tools that later model calls see.
    pub kept_results: Vec<KeptResult>,
    /// The behavior set that applied last.
    pub behavior: Option<(BehaviorSetId, VersionNumber)>,
}

/// A graph that a conversation is in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// The graph and its version.
    pub graph: GraphVersion,
    /// The state: the current one of the innermost graph, of the others the one to go back to.
    pub state: String,
}

/// The result of a tool call that is kept for the whole conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptResult {
    /// The tool.
    pub tool_name: String,
    /// What it was called with, as JSON.
    pub input: String,
    /// What it answered.
    pub output: String,
}
