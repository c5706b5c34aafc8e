//! Differences between two versions of an agent.

use serde::{Deserialize, Serialize};

use super::fields::{self, FieldDiff};
use super::text::Effort;
use crate::agent::AgentDocument;

/// In what two versions of an agent differ.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AgentDiff {
    /// The fields that differ.
    pub changes: Vec<FieldDiff>,
}

impl AgentDiff {
    /// Returns `true` if nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// Returns in what one agent's content differs from another's.
pub fn compare_agents(from: &AgentDocument, to: &AgentDocument) -> AgentDiff {
    let changes = fields::compare(&fields::of(from), &fields::of(to), &mut Effort::default());
    AgentDiff { changes }
}
