//! What a call asks to change: one set, or several together.

use forge_domain::access::Permission;
use forge_domain::model::ModelPreferences;
use forge_domain::plan::{Plan, Plans, Promote, Rollback};
use forge_domain::size::is_within;
use forge_domain::version_set::RequestedPins;
use forge_domain::{ServiceId, SetName};

use crate::{AppError, Caller, aside};

/// A change that a caller asks for.
#[derive(Debug, Clone)]
pub(super) enum ChangeRequest {
    Upsert(RequestedPins),
    Promote(Promote),
    Rollback(Rollback),
    Delete,
}

impl ChangeRequest {
    /// Refuses a caller who could make the change nowhere at all, before anything is looked up.
    fn require_any_grant(&self, caller: &Caller) -> Result<(), AppError> {
        match self {
            Self::Delete => caller.require_any_grant(Permission::DeleteVersionSet),
            Self::Rollback(_) => caller.require_any_grant(Permission::UpdateVersionSet),
            Self::Upsert(_) | Self::Promote(_) => caller
                .require_any_grant(Permission::CreateVersionSet)
                .or(caller.require_any_grant(Permission::UpdateVersionSet)),
        }
    }

    /// Returns the permission that the change of a set takes.
    pub(super) fn permission(&self, is_new: bool) -> Permission {
        match self {
            Self::Delete => Permission::DeleteVersionSet,
            Self::Upsert(_) | Self::Promote(_) if is_new => Permission::CreateVersionSet,
            _ => Permission::UpdateVersionSet,
        }
    }
}

/// A change of one set.
#[derive(Debug, Clone)]
pub(super) struct SetChange {
    pub(super) service: ServiceId,
    /// The name of the set, whatever the caller wrote.
    pub(super) name: String,
    pub(super) request: ChangeRequest,
    /// Other sets of the service that the same batch may create: they count as if they were there.
    pub(super) beside: Vec<SetName>,
}

/// The changes that are made together: all of them, or none.
#[derive(Debug, Clone)]
pub(super) enum Batch {
    One(SetChange),
    /// Of different sets, in the order asked for.
    Many(Vec<SetChange>),
}

impl Batch {
    /// Creates the batch of a single change.
    pub(super) fn of_one(service: ServiceId, name: &str, request: ChangeRequest) -> Self {
        Self::One(SetChange {
            service,
            name: name.to_owned(),
            request,
            beside: Vec::new(),
        })
    }

    /// Returns its changes.
    pub(super) fn changes(&self) -> &[SetChange] {
        match self {
            Self::One(change) => std::slice::from_ref(change),
            Self::Many(changes) => changes,
        }
    }

    /// Refuses a caller who could make one of the changes nowhere at all, before anything is looked up.
    pub(super) fn require_any_grant(&self, caller: &Caller) -> Result<(), AppError> {
        let mut changes = self.changes().iter();
        changes.try_for_each(|change| change.request.require_any_grant(caller))
    }

    /// Returns `true` if planning takes long by what is asked for alone.
    pub(super) fn is_large(&self) -> bool {
        self.changes().iter().any(|change| match &change.request {
            ChangeRequest::Upsert(pins) => are_large(&pins.llm_model_preferences),
            _ => false,
        })
    }

    /// Returns the plans of its changes as those of one call.
    pub(super) fn plans(&self, mut plans: Vec<Plan>) -> Plans {
        match (self, plans.pop()) {
            (Self::One(_), Some(plan)) => Plans::One(Box::new(plan)),
            (_, last) => {
                plans.extend(last);
                Plans::Many(plans)
            }
        }
    }
}

/// Returns `true` if there are so many preferences that planning with them takes long.
pub(super) fn are_large(preferences: &ModelPreferences) -> bool {
    !is_within(preferences, aside::LARGE as u64)
}
