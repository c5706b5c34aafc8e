//! The agent and the context graph that a service's sets pin versions of.

use serde::{Deserialize, Serialize};

use crate::asset::AssetId;
use crate::refusal::Refusal;
use crate::version::VersionNumber;

/// The agent or context graph of a service, as far as pinning needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// Its id, which says which of the two it is.
    pub id: AssetId,
    /// Its newest version, if it has any.
    pub latest: Option<VersionNumber>,
    /// Whether it is deprecated.
    pub is_deprecated: bool,
}

impl Bound {
    /// Returns the version that a pin names, provided that it exists.
    pub(super) fn pin(&self, number: Option<i64>) -> Result<Option<VersionNumber>, Refusal> {
        let Some(number) = number else { return Ok(None) };
        match VersionNumber::try_from(number) {
            Ok(version) if version.exists(self.latest) => Ok(Some(version)),
            _ => Err(Refusal::NoSuchVersion {
                asset: self.id,
                number,
                latest: self.latest,
            }),
        }
    }
}

/// The agent and the context graph of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The agent.
    pub agent: Bound,
    /// The context graph.
    pub context_graph: Bound,
}

/// The numbers that pins mean at a given moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedPins {
    /// The agent's version; `None` only while the agent has none.
    #[serde(rename = "agent_version_number")]
    pub agent_version: Option<VersionNumber>,
    /// The context graph's version; `None` only while the graph has none.
    #[serde(rename = "service_hierarchical_state_machine_version_number")]
    pub context_graph_version: Option<VersionNumber>,
}

impl ResolvedPins {
    /// What a deleted set means.
    pub const NOTHING: Self = Self {
        agent_version: None,
        context_graph_version: None,
    };
}
