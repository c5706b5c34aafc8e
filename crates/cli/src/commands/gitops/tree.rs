//! What files and servers hold, in the same words: names instead of ids, nothing that differs from server to server.

use std::collections::BTreeMap;

use forge_client::answers::Pins;
use forge_domain::SetName;
use forge_domain::asset::AssetKind;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The content of a version.
pub(super) type Document = Map<String, Value>;

/// Everything that files hold.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Tree {
    pub(super) agents: Vec<Asset>,
    pub(super) context_graphs: Vec<Asset>,
    pub(super) services: Vec<Service>,
}

impl Tree {
    pub(super) fn assets(&self, kind: AssetKind) -> &[Asset] {
        match kind {
            AssetKind::Agent => &self.agents,
            AssetKind::ContextGraph => &self.context_graphs,
        }
    }
}

/// An agent or a context graph.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asset {
    pub(super) name: String,
    /// The folder that it is in, for messages.
    pub(super) place: String,
    pub(super) versions: BTreeMap<i64, Document>,
}

/// A service and its sets, without `edge`, which is the same everywhere.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Service {
    /// The folder that it is in, for messages.
    pub(super) place: String,
    pub(super) fields: ServiceFields,
    pub(super) version_sets: BTreeMap<SetName, Pins>,
}

/// What `service.json` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceFields {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) is_active: bool,
    /// The name of its agent.
    pub(super) agent: String,
    /// The name of its context graph.
    pub(super) context_graph: String,
    #[serde(default)]
    pub(super) keyterms: Vec<String>,
    #[serde(default)]
    pub(super) tags: IndexMap<String, Option<String>>,
}

/// Returns a name for people: `agent` or `context graph`.
pub(super) fn kind_name(kind: AssetKind) -> &'static str {
    match kind {
        AssetKind::Agent => "agent",
        AssetKind::ContextGraph => "context graph",
    }
}
