//! What the two versioned things of a service have in common.

use std::fmt;

use serde::{Deserialize, Serialize};

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
