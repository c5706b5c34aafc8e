//! A set that pins no number of what it runs.

use forge_client::answers::Pins;
use forge_domain::asset::AssetKind;
use forge_domain::{ServiceId, SetName};

use super::tree::kind_name;

pub(super) const KINDS: [AssetKind; 2] = [AssetKind::Agent, AssetKind::ContextGraph];

/// A set of an active service that runs the next version of an agent or of a context graph as soon as it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Float {
    pub(super) service_id: ServiceId,
    pub(super) service: String,
    pub(super) set: SetName,
    pub(super) kind: AssetKind,
    /// The name of the agent or the graph.
    pub(super) asset: String,
    /// The newest version that comes with the files.
    pub(super) version: i64,
}

impl Float {
    /// Returns what comes of it, as a sentence.
    pub(super) fn description(&self) -> String {
        format!(
            "`{}` of `{}` floats: it runs version {} of the {} `{}` as soon as it is there",
            self.set,
            self.service,
            self.version,
            kind_name(self.kind),
            self.asset
        )
    }

    /// Returns `true` if another one is about the same set and the same thing.
    pub(super) fn is_of_the_same(&self, other: &Self) -> bool {
        (self.service_id, &self.set, self.kind, &self.asset)
            == (other.service_id, &other.set, other.kind, &other.asset)
    }
}

/// Returns the number that pins hold of an agent or of a context graph, or `None` where they float.
pub(super) fn number_of(pins: &Pins, kind: AssetKind) -> Option<i64> {
    match kind {
        AssetKind::Agent => pins.agent_version_number,
        AssetKind::ContextGraph => pins.context_graph_version_number,
    }
}
