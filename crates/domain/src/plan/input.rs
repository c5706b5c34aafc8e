//! What a plan looks at: the change that somebody wants to make, and everything that it depends on.

use crate::model::ModelCatalogue;
use crate::prompt::LongPrompt;
use crate::refusal::Refusal;
use crate::simulation::UnitTestRef;
use crate::time::Timestamp;
use crate::version_set::{Binding, Hold, Pins, RequestedPins, ResolvedPins, SetName};
use crate::yank::YankedVersion;
use crate::{AgentId, ContextGraphId, ServiceId};

/// Everything that a plan looks at beside the change itself, as it is at one moment.
#[derive(Debug)]
pub struct PlanInput<'a> {
    /// The service.
    pub service_id: ServiceId,
    /// Its name, by which whoever is shown the plan knows it.
    pub service_name: &'a str,
    /// Its agent and context graph.
    pub binding: &'a Binding,
    /// The yanked versions of the two.
    pub yanked: &'a [YankedVersion],
    /// The name of the set to change, whatever a caller wrote.
    pub name: &'a str,
    /// That set, if there ever was one of the name.
    pub target: Option<&'a Target>,
    /// The names of the service's sets, without deleted ones; looked up where the set is new.
    pub sets: &'a [SetName],
    /// Those of them that the caller must not learn of.
    pub hidden_sets: &'a [SetName],
    /// The unit tests that name the set, without deleted ones; looked up where the change is a deletion.
    pub unit_tests: &'a [UnitTestRef],
    /// The models that may be preferred.
    pub models: &'a ModelCatalogue,
    /// The prompt that does not fit, of the versions that the set would mean, where that was looked at.
    pub long_prompt: Option<LongPrompt>,
    /// What time it is.
    pub now: Timestamp,
}

impl<'a> PlanInput<'a> {
    /// Returns what the set pins, if it is there.
    pub(super) fn current_pins(&self) -> Option<&'a Pins> {
        self.target.and_then(|target| target.pins.as_ref())
    }

    /// Returns the hold on the set.
    pub(super) fn hold(&self) -> Option<&'a Hold> {
        self.target.and_then(|target| target.hold.as_ref())
    }
}

/// The set that is to change, as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Its latest revision.
    pub revision: i64,
    /// What it pins, or `None` if it is deleted.
    pub pins: Option<Pins>,
    /// The hold on it.
    pub hold: Option<Hold>,
}

/// What a revision pinned, and what that came to mean in the end.
#[derive(Debug, Clone, PartialEq)]
pub struct PinnedRevision {
    /// Its number.
    pub revision: i64,
    /// The service's agent at the time.
    pub agent_id: AgentId,
    /// The service's context graph at the time.
    pub context_graph_id: ContextGraphId,
    /// What it pinned.
    pub pins: Pins,
    /// The versions that the pins meant last: now for the set's latest revision, else when the next one replaced it.
    pub resolved: ResolvedPins,
}

/// A change that somebody wants to make.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Replace what the set pins, creating it if need be.
    Upsert(RequestedPins),
    /// Copy what another set pins.
    Promote {
        /// The name of the other set, whatever a caller wrote.
        source: String,
        /// The revision of it that was asked for; nothing means the latest.
        source_revision: Option<i64>,
        /// What that revision pinned, if there is one that pins anything.
        content: Option<PinnedRevision>,
        /// Whether floating pins are written as the numbers that they mean.
        freeze: bool,
    },
    /// Restore an earlier revision.
    Rollback {
        /// That revision, or why there is none; see [`choose_restored`](super::choose_restored).
        restored: Result<PinnedRevision, Refusal>,
        /// Whether floating pins are written as the numbers that they last meant.
        freeze: bool,
    },
    /// Delete the set.
    Delete,
    /// Mean something else by the same pins: the service, whose agent and graph these were, gets those of the input.
    Rebind(Box<Binding>),
}
