//! What a plan says, and what carrying it out writes.

use serde::{Deserialize, Serialize};

use super::changes::FieldChange;
use super::effect::Effect;
use super::finding::{Finding, told};
use crate::ServiceId;
use crate::revision::RevisionAction;
use crate::version_set::{ResolvedPins, SetName};

/// A revision of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetRevision {
    /// The set's name.
    pub name: String,
    /// The revision, or `None` where the set is new, or where there is no such revision.
    pub revision: Option<i64>,
}

/// What a change would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The action that history would record.
    pub action: RevisionAction,
    /// The service whose set would change.
    pub service_id: ServiceId,
    /// The set that would change, and its latest revision so far.
    pub target: SetRevision,
    /// Where its pins would come from: another set, or for a rollback an earlier revision of the set itself.
    pub source: Option<SetRevision>,
    /// The fields that would change.
    pub changes: Vec<FieldChange>,
    /// The versions that the set would mean right after, or `None` if it would be deleted or the change cannot be made.
    pub resolved: Option<ResolvedPins>,
    /// Every rule that forbids it; of very many findings of one rule, the first ones and how many more there are.
    pub blockers: Vec<Finding>,
    /// What to think twice about, told alike.
    pub warnings: Vec<Finding>,
    /// Whether everything is so already.
    pub is_no_op: bool,
    /// A hash that fixes all of this and everything it depends on: SHA-256, in hex.
    pub digest: String,
}

impl Plan {
    /// Returns `true` if a rule forbids the change.
    pub fn is_blocked(&self) -> bool {
        !self.blockers.is_empty()
    }

    /// Returns the set and revision that a promotion copies.
    pub(super) fn copied_from(&self) -> Option<(SetName, i64)> {
        let source = self.source.as_ref();
        let source = source.filter(|_| self.action == RevisionAction::Promote)?;
        Some((source.name.parse().ok()?, source.revision?))
    }

    /// Returns the blockers as one text; of very many, the first ones and how many there are beside.
    pub fn blockers_text(&self) -> String {
        told(&self.blockers)
    }
}

/// A plan, and what carrying it out means.
///
/// The effect counts only while nothing blocks the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// What is shown.
    pub plan: Plan,
    /// What is written.
    pub effect: Effect,
}
