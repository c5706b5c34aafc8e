//! Version sets: what a service runs.

use serde::{Deserialize, Serialize};

use crate::actor::UserRef;
use crate::time::Timestamp;

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
