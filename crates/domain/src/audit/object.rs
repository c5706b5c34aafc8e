//! What audit events are about.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::asset::{AssetId, AssetKind};
use crate::item::ItemKind;

/// A kind of thing whose changes the audit log keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say what each variant means")]
pub enum ObjectKind {
    Agent,
    ApiKey,
    BehaviorSet,
    ContextGraph,
    Conversation,
    Metric,
    Organization,
    Persona,
    Role,
    Scenario,
    Service,
    SigningKey,
    TemporaryGrant,
    UnitTest,
    UnitTestSet,
    User,
    VersionSet,
}

impl ObjectKind {
    /// Every kind.
    pub const ALL: [Self; 17] = [
        Self::Agent,
        Self::ApiKey,
        Self::BehaviorSet,
        Self::ContextGraph,
        Self::Conversation,
        Self::Metric,
        Self::Organization,
        Self::Persona,
        Self::Role,
        Self::Scenario,
        Self::Service,
        Self::SigningKey,
        Self::TemporaryGrant,
        Self::UnitTest,
        Self::UnitTestSet,
        Self::User,
        Self::VersionSet,
    ];

    /// Returns the name that the audit log, its stream and their readers use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::ApiKey => "api_key",
            Self::BehaviorSet => ItemKind::BehaviorSet.as_str(),
            Self::ContextGraph => "context_graph",
            Self::Conversation => "conversation",
            Self::Metric => ItemKind::Metric.as_str(),
            Self::Organization => "organization",
            Self::Persona => ItemKind::Persona.as_str(),
            Self::Role => "role",
            Self::Scenario => ItemKind::Scenario.as_str(),
            Self::Service => "service",
            Self::SigningKey => "signing_key",
            Self::TemporaryGrant => "temporary_permission_grant",
            Self::UnitTest => "simulation_unit_test",
            Self::UnitTestSet => "simulation_unit_test_set",
            Self::User => "user",
            Self::VersionSet => "version_set",
        }
    }
}

/// The text names no kind of thing that this version of Forge knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no kind of thing has this name")]
pub struct UnknownObjectKind;

impl FromStr for ObjectKind {
    type Err = UnknownObjectKind;

    fn from_str(text: &str) -> Result<Self, UnknownObjectKind> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or(UnknownObjectKind)
    }
}

impl From<AssetKind> for ObjectKind {
    fn from(kind: AssetKind) -> Self {
        match kind {
            AssetKind::Agent => Self::Agent,
            AssetKind::ContextGraph => Self::ContextGraph,
        }
    }
}

impl From<ItemKind> for ObjectKind {
    fn from(kind: ItemKind) -> Self {
        match kind {
            ItemKind::BehaviorSet => Self::BehaviorSet,
            ItemKind::Metric => Self::Metric,
            ItemKind::Persona => Self::Persona,
            ItemKind::Scenario => Self::Scenario,
        }
    }
}

/// What an event is about.
///
/// The kind is a text, because a log may come from a newer Forge, and its hashes are over what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditObject {
    /// The kind of thing, such as `service` or `version_set`.
    pub kind: String,
    /// Its id; of a version set `service id/name`.
    pub id: String,
}

impl AuditObject {
    /// Creates the name of a thing.
    pub fn new(kind: impl Into<ObjectKind>, id: impl ToString) -> Self {
        Self {
            kind: kind.into().as_str().to_owned(),
            id: id.to_string(),
        }
    }

    /// Returns the kind, or `None` if it is one of a newer Forge.
    pub fn known_kind(&self) -> Option<ObjectKind> {
        self.kind.parse().ok()
    }
}

impl From<AssetId> for AuditObject {
    fn from(id: AssetId) -> Self {
        Self::new(id.kind(), id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_as_they_are_written() {
        for kind in ObjectKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(AuditObject::new(kind, 1).known_kind(), Some(kind));
        }
        assert_eq!("services".parse::<ObjectKind>(), Err(UnknownObjectKind));
    }
}
