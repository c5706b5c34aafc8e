//! What the two versioned things of a service have in common.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, ContextGraphId, InvalidId};

/// What a version set pins: one of the two versioned things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssetKind {
    /// An agent.
    Agent,
    /// A context graph.
    ContextGraph,
}

impl fmt::Display for AssetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Agent => "agent",
            Self::ContextGraph => "context graph",
        })
    }
}

/// Identifies an agent or a context graph.
///
/// Its text and its JSON are those of the id alone: the place where it stands says which of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum AssetId {
    /// An agent's.
    Agent(AgentId),
    /// A context graph's.
    ContextGraph(ContextGraphId),
}

impl AssetId {
    /// Reads the id of a thing of that kind.
    pub fn parse(kind: AssetKind, text: &str) -> Result<Self, InvalidId> {
        match kind {
            AssetKind::Agent => text.parse().map(Self::Agent),
            AssetKind::ContextGraph => text.parse().map(Self::ContextGraph),
        }
    }

    /// Returns the agent's id, or `None` if it is not one.
    pub const fn agent(self) -> Option<AgentId> {
        match self {
            Self::Agent(id) => Some(id),
            Self::ContextGraph(_) => None,
        }
    }

    /// Returns the context graph's id, or `None` if it is not one.
    pub const fn context_graph(self) -> Option<ContextGraphId> {
        match self {
            Self::Agent(_) => None,
            Self::ContextGraph(id) => Some(id),
        }
    }

    /// Returns which of the two it identifies.
    pub const fn kind(self) -> AssetKind {
        match self {
            Self::Agent(_) => AssetKind::Agent,
            Self::ContextGraph(_) => AssetKind::ContextGraph,
        }
    }
}

impl From<AgentId> for AssetId {
    fn from(id: AgentId) -> Self {
        Self::Agent(id)
    }
}

impl From<ContextGraphId> for AssetId {
    fn from(id: ContextGraphId) -> Self {
        Self::ContextGraph(id)
    }
}

impl fmt::Display for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent(id) => id.fmt(f),
            Self::ContextGraph(id) => id.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "0123456789abcdef01234567";

    #[test]
    fn an_id_is_told_without_its_kind_and_read_as_one_of_a_kind() {
        for kind in [AssetKind::Agent, AssetKind::ContextGraph] {
            let id = AssetId::parse(kind, TEXT).unwrap();
            assert_eq!((id.kind(), id.to_string().as_str()), (kind, TEXT));
            assert_eq!(serde_json::to_value(id).unwrap(), TEXT);
            assert_eq!(AssetId::parse(kind, "release"), Err(InvalidId));
        }
    }

    #[test]
    fn an_agent_is_no_context_graph_of_the_same_id() {
        let agent = AssetId::parse(AssetKind::Agent, TEXT);
        assert_ne!(agent, AssetId::parse(AssetKind::ContextGraph, TEXT));
    }
}
