//! What was planned of a batch.

use forge_domain::plan::{Effect, Plans};

use super::load::Loaded;
use super::options::ChangeOutcome;
use crate::AppError;

/// A batch as it was planned, with what carrying it out needs: of each change what was loaded, and what is to be written.
pub(super) struct PlannedBatch {
    pub(super) loaded: Vec<Loaded>,
    pub(super) effects: Vec<Effect>,
    pub(super) plans: Plans,
}

impl PlannedBatch {
    /// Refuses a batch that a rule forbids.
    pub(super) fn require_unblocked(self) -> Result<Self, AppError> {
        if self.plans.is_blocked() {
            return Err(AppError::Blocked(self.plans));
        }
        Ok(self)
    }

    /// Returns `true` if everything is so already.
    pub(super) fn is_no_op(&self) -> bool {
        self.plans.of_sets().iter().all(|plan| plan.is_no_op)
    }

    /// Returns the outcome if nothing is written.
    pub(super) fn unwritten(self) -> Vec<ChangeOutcome> {
        let plans = self.plans.into_plans_of_sets().into_iter();
        let outcome = |(plan, loaded): (_, &Loaded)| ChangeOutcome {
            is_applied: false,
            revision: loaded.live_revision(),
            plan,
            change_number: None,
        };
        plans.zip(&self.loaded).map(outcome).collect()
    }
}
