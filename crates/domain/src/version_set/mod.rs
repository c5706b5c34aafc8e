//! Version sets: what a service runs.

use serde::{Deserialize, Serialize};

use crate::actor::{Actor, UserRef};
use crate::time::Timestamp;
use crate::{AgentId, ContextGraphId};

mod binding;
mod pins;
mod rules;

pub use binding::{Binding, Bound, ResolvedPins};
pub use forge_types::set_name::{InvalidSetName, SetName};
pub use pins::{Pins, RequestedPins};
pub use rules::{MAX_SETS, check_delete, check_models, check_upsert};

/// A mark that a rollback leaves on a set: nothing moves the set forward until someone lifts the hold on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Why the set was rolled back.
    pub reason: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// Who rolled back.
    pub by: UserRef,
}

/// A version set as it is now; a deleted one leaves its name and its revision.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionSet {
    /// Its name.
    pub name: SetName,
    /// The number of its latest revision.
    pub revision: i64,
    /// Whether it is deleted.
    pub is_deleted: bool,
    /// The service's agent.
    pub agent_id: AgentId,
    /// The service's context graph.
    pub context_graph_id: ContextGraphId,
    /// What it pins.
    pub pins: Pins,
    /// The set and revision that its pins were copied from, if they were.
    pub source: Option<(SetName, i64)>,
    /// Why it was changed last.
    pub message: Option<String>,
    /// Who changed it last.
    pub updated_by: Actor,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// The hold on it, if there is one.
    pub hold: Option<Hold>,
}
