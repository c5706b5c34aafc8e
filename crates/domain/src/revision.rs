//! The history of a version set: what happened, and to what it led.

use std::str::FromStr;

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
