//! What carrying out a plan writes.

use crate::version_set::{Pins, SetName};

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
