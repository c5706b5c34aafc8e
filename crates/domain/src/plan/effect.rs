//! What carrying out a plan writes.

use crate::revision::RevisionAction;
use crate::version_set::{Hold, Pins, SetName};

/// What happens to the hold of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldEffect {
    /// It stays as it is, there or not.
    Keep,
    /// It is lifted.
    Lift,
    /// A new one is placed.
    Place,
}

impl HoldEffect {
    /// Returns what a change does to the hold that is on a set.
    pub(super) fn of(action: RevisionAction, hold: Option<&Hold>, lift_hold: bool) -> Self {
        match (hold, lift_hold) {
            (Some(_), true) => Self::Lift,
            (_, false) if action == RevisionAction::Rollback => Self::Place,
            _ => Self::Keep,
        }
    }
}

/// What is written if the plan is carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// What the set pins from then on, or `None` if it is deleted. Absent if no revision is to be appended.
    pub revision: Option<Option<Pins>>,
    /// The set and revision that the pins come from.
    pub source: Option<(SetName, i64)>,
    /// The revision that is restored.
    pub restored_revision: Option<i64>,
    /// What happens to the hold.
    pub hold: HoldEffect,
}
