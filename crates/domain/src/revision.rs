//! The history of a version set: what happened, and to what it led.

use std::str::FromStr;

use crate::actor::Actor;
use crate::time::Timestamp;
use crate::version_set::{Pins, ResolvedPins, SetName};
use crate::{AgentId, ContextGraphId};
use serde::{Deserialize, Serialize};

/// What a revision records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RevisionAction {
    /// The set came into being, perhaps again.
    Create,
    /// Its pins were replaced.
    Update,
    /// Its pins were copied from another set.
    Promote,
    /// An earlier revision was restored.
    Rollback,
    /// It was deleted; the numbers go on if it comes back.
    Delete,
    /// The service changed its agent or its context graph.
    Rebind,
}

impl RevisionAction {
    /// Returns the word that is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Promote => "promote",
            Self::Rollback => "rollback",
            Self::Delete => "delete",
            Self::Rebind => "rebind",
        }
    }
}

impl FromStr for RevisionAction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [
            Self::Create,
            Self::Update,
            Self::Promote,
            Self::Rollback,
            Self::Delete,
            Self::Rebind,
        ];
        all.into_iter()
            .find(|action| action.as_str() == text)
            .ok_or_else(|| format!("unknown action `{text}`"))
    }
}

/// One entry of a set's history.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    /// The set's name.
    pub name: SetName,
    /// 1, 2, 3 … without gaps, also across deletion and re-creation.
    pub revision: i64,
    /// What happened.
    pub action: RevisionAction,
    /// The service's agent at the time.
    pub agent_id: AgentId,
    /// The service's context graph at the time.
    pub context_graph_id: ContextGraphId,
    /// What the set pinned from then on.
    pub pins: Pins,
    /// What the pins meant at that moment.
    pub resolved: ResolvedPins,
    /// The set and revision that the pins were copied from, if they were.
    pub source: Option<(SetName, i64)>,
    /// The revision that was restored, if one was.
    pub restored_revision: Option<i64>,
    /// Why.
    pub message: Option<String>,
    /// Who did it.
    pub actor: Actor,
    /// The organization's change number of the write; a revision not yet stored has that of its transaction.
    pub change_number: i64,
    /// When.
    pub created_at: Timestamp,
}
