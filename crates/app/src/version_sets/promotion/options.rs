//! On which options a caller changes a set, and what comes of it.

use forge_domain::plan::Plan;

/// On which options a set is changed.
#[derive(Debug, Clone, Default)]
pub struct ChangeOptions {
    /// Whether only the plan is wanted.
    pub is_dry_run: bool,
    /// The digest of the plan that the caller saw: if the plan is another one now, nothing is changed.
    pub plan_digest: Option<String>,
    /// Why, for the history; of a rollback also for the hold.
    pub message: Option<String>,
    /// Whether a hold on the set does not stand in the way and is gone afterwards.
    pub lift_hold: bool,
    /// What the set must be like for the change to be made.
    pub precondition: Precondition,
}

/// What something must be like for a change of it to be made: a set, known by its latest revision, or a yank.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Precondition<T = i64> {
    /// Anything.
    #[default]
    None,
    /// It is there.
    Exists,
    /// It is there, and is one of these.
    IsAt(Vec<T>),
    /// It is not there.
    IsAbsent,
}

impl<T: PartialEq> Precondition<T> {
    /// Returns `true` if it is fulfilled, given what is there, if something is.
    pub(crate) fn is_fulfilled(&self, there: Option<T>) -> bool {
        match self {
            Self::None => true,
            Self::Exists => there.is_some(),
            Self::IsAt(wanted) => there.is_some_and(|there| wanted.contains(&there)),
            Self::IsAbsent => there.is_none(),
        }
    }
}

/// What came of a change that nothing stood against.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeOutcome {
    /// Whether something was written: not for a dry run, nor where everything was so already.
    pub is_applied: bool,
    /// The set's latest revision afterwards, or `None` where a dry run plans to create the set.
    pub revision: Option<i64>,
    /// The plan.
    pub plan: Plan,
    /// The organization's change number of the write, if there was one.
    pub change_number: Option<i64>,
}
