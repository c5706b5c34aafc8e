//! Why a use case did not do what it was asked.

use forge_domain::fault::Fault;
use forge_domain::plan::Plans;
use forge_domain::version::NotTheNextVersion;
use forge_domain::yank::Yank;
use forge_domain::{Refusal, Refusals, shortened};
use forge_runtime::RuntimeError;
use forge_store::{NotReady, StoreError};

use crate::version_sets::SetView;

/// Why a use case did not do what it was asked.
///
/// Nothing was changed, except perhaps where the outcome is unknown.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// What was asked for is not well-formed.
    ///
    /// Each fault says why, and where: its first step is the name of a parameter, whatever the parameter was sent in.
    #[error("the request is invalid")]
    Invalid(Vec<Fault>),
    /// The credentials prove nothing.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The caller lacks a permission on what the request is about. Nothing of that is told: the caller may not be
    /// allowed to know it.
    #[error("you lack the permission `{0}` for this")]
    Forbidden(&'static str),
    /// The caller's role is too small for what is to be given or touched; says why.
    #[error("{0}")]
    InsufficientRole(String),
    /// There is no such thing, or none that the caller may know of.
    #[error("{0}")]
    NotFound(String),
    /// There was one, and it was deleted.
    #[error("{message}")]
    Gone {
        /// What is gone.
        message: String,
        /// Its last revision.
        revision: i64,
    },
    /// A rule refuses the change; all reasons are given.
    #[error("{0}")]
    Refused(String),
    /// Rules forbid the change; the plan lists all of them.
    #[error("{}", .0.blockers_text())]
    Blocked(Plans),
    /// The plan is another one than the caller saw; this is the present one.
    #[error("the plan has changed since you saw it; look at this one and send its digest")]
    PlanMoved(Plans),
    /// The set is not as the caller's condition says; this is what it is like, if it is there.
    #[error("{}", precondition_text(.0.as_deref()))]
    PreconditionFailed(Option<Box<SetView>>),
    /// The yank of a version is not the one that the caller's condition names; this is the one that is there, if the
    /// caller may see it.
    #[error("{}", yank_text(.0.as_deref()))]
    YankMoved(Option<Box<Yank>>),
    /// Something else is already there, or moved meanwhile.
    #[error("{0}")]
    Conflict(String),
    /// A conversation could not go on; nothing of the interaction is kept.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// Nobody waits for the answer any more; nothing of the interaction is kept.
    #[error("the interaction was given up because nobody read its events")]
    Abandoned,
    /// The reader asked for a change that this server does not see yet.
    #[error(
        "this server has seen the organization's change {seen} but not yet {wanted}; try again in a moment"
    )]
    Behind {
        /// The change that the reader asked for.
        wanted: i64,
        /// The latest one that is seen here.
        seen: i64,
    },
    /// The organization, or the whole server, is closed for maintenance.
    #[error("closed for maintenance; try again later")]
    Maintenance,
    /// The database is out of reach for now.
    #[error("the database is unavailable; try again in a moment")]
    Unavailable(#[source] StoreError),
    /// The database would take no write now.
    #[error("{0}; try again in a moment")]
    NotReady(NotReady),
    /// The connection to the database was lost at the last moment.
    #[error("the database did not say whether the change was made; look before you try again")]
    OutcomeUnknown(#[source] StoreError),
    /// A fault of Forge or of its installation.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn precondition_text(view: Option<&SetView>) -> String {
    match view {
        Some(view) => format!(
            "the condition does not hold: `{}` is there, at revision {}",
            view.set.name, view.set.revision
        ),
        None => "the condition does not hold: the set is not there".to_owned(),
    }
}

fn yank_text(yank: Option<&Yank>) -> String {
    match yank {
        Some(yank) => format!(
            "the condition does not hold: the version is yanked, because: {}",
            yank.reason
        ),
        None => "the condition does not hold: the version is not yanked as it says".to_owned(),
    }
}

impl AppError {
    /// Builds an internal error from a text that only operators see.
    pub(crate) fn internal(reason: impl Into<String>) -> Self {
        Self::Internal(reason.into().into())
    }

    /// Says that there is no organization of this id.
    pub(crate) fn no_organization(id: &str) -> Self {
        Self::NotFound(format!("there is no organization `{}`", shortened(id)))
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Contended(_) => Self::Unavailable(error),
            StoreError::OutcomeUnknown(_) => Self::OutcomeUnknown(error),
            other => Self::Internal(Box::new(other)),
        }
    }
}

impl From<Refusals> for AppError {
    fn from(refusals: Refusals) -> Self {
        Self::Refused(refusals.to_string())
    }
}

impl From<Refusal> for AppError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.to_string())
    }
}

impl From<NotTheNextVersion> for AppError {
    fn from(error: NotTheNextVersion) -> Self {
        Self::Conflict(error.to_string())
    }
}
