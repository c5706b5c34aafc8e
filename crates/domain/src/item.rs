//! Items: what is configured beside agents and context graphs and has versions, too. Dynamic behavior sets, metrics,
//! simulated personas and scenarios differ in what they hold; how they are named, changed and found is the same.

mod search;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::behavior::BehaviorDocument;
use crate::metric::{MetricDocument, MetricValueKind};
use crate::service::Tags;
use crate::simulation::{PersonaDocument, ScenarioDocument};
use crate::{ServiceId, Timestamp, UserRef, VersionNumber};

pub use search::SearchTerms;

/// Which kind of item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// A dynamic behavior set.
    BehaviorSet,
    /// A metric.
    Metric,
    /// A simulated persona.
    Persona,
    /// A simulated scenario.
    Scenario,
}

impl ItemKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::BehaviorSet, Self::Metric, Self::Persona, Self::Scenario];

    /// Returns the contract's name, which the store and the audit log use as well.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BehaviorSet => "dynamic_behavior_set",
            Self::Metric => "metric",
            Self::Persona => "simulation_persona",
            Self::Scenario => "simulation_scenario",
        }
    }
}

impl fmt::Display for ItemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BehaviorSet => "dynamic behavior set",
            Self::Metric => "metric",
            Self::Persona => "simulation persona",
            Self::Scenario => "simulation scenario",
        })
    }
}

/// The text names no kind of item.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no kind of item has this name")]
pub struct UnknownItemKind;

impl FromStr for ItemKind {
    type Err = UnknownItemKind;

    fn from_str(text: &str) -> Result<Self, UnknownItemKind> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or(UnknownItemKind)
    }
}

/// An item, without its versions.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its id; 24 hex digits.
    pub id: String,
    /// Its place in the organization's list of its kind; grows with creation.
    pub seq: i64,
    /// Its name; unique among the active items of its kind that are not deleted.
    pub name: String,
    /// Whether it is used; only behavior sets can be inactive.
    pub is_active: bool,
    /// Whether it is deleted: nothing new may use it.
    pub is_deleted: bool,
    /// Its tags.
    pub tags: Tags,
    /// What only items of its kind have.
    pub details: ItemDetails,
    /// Its newest version; there is always one.
    pub latest_version: VersionNumber,
    /// Who created it.
    pub creator: UserRef,
    /// Who changed it last, or added its newest version.
    pub updated_by: UserRef,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed last, or got its newest version.
    pub updated_at: Timestamp,
}

/// What an item has beside its versions, by its kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ItemDetails {
    /// Of a dynamic behavior set.
    BehaviorSet {
        /// The services in whose conversations it may apply; none means nowhere.
        applied_to_services: Vec<ServiceId>,
    },
    /// Of a metric.
    Metric {
        /// The services whose conversations it is meant for.
        applied_to_services: Vec<ServiceId>,
        /// What people should know of it.
        additional_notes: Option<String>,
        /// The kind of its values, the same in all versions.
        value_kind: MetricValueKind,
    },
    /// Of a persona.
    Persona {
        /// What they are to the service.
        role: String,
    },
    /// Of a scenario.
    Scenario {},
}

impl ItemDetails {
    /// Returns the kind of the item.
    pub fn kind(&self) -> ItemKind {
        match self {
            Self::BehaviorSet { .. } => ItemKind::BehaviorSet,
            Self::Metric { .. } => ItemKind::Metric,
            Self::Persona { .. } => ItemKind::Persona,
            Self::Scenario {} => ItemKind::Scenario,
        }
    }

    /// Returns the services that the item is applied to.
    pub fn applied_to_services(&self) -> &[ServiceId] {
        match self {
            Self::BehaviorSet { applied_to_services }
            | Self::Metric {
                applied_to_services, ..
            } => applied_to_services,
            Self::Persona { .. } | Self::Scenario {} => &[],
        }
    }

    /// Returns the role of a persona.
    pub fn role(&self) -> Option<&str> {
        match self {
            Self::Persona { role } => Some(role),
            _ => None,
        }
    }

    /// Returns the kind of a metric's values.
    pub fn value_kind(&self) -> Option<MetricValueKind> {
        match self {
            Self::Metric { value_kind, .. } => Some(*value_kind),
            _ => None,
        }
    }
}

/// The content of one version of an item.
#[derive(Debug, Clone, PartialEq)]
pub enum ItemDocument {
    /// Of a dynamic behavior set.
    BehaviorSet(BehaviorDocument),
    /// Of a metric.
    Metric(MetricDocument),
    /// Of a persona.
    Persona(PersonaDocument),
    /// Of a scenario.
    Scenario(ScenarioDocument),
}

impl ItemDocument {
    /// Returns the kind of the item.
    pub fn kind(&self) -> ItemKind {
        match self {
            Self::BehaviorSet(_) => ItemKind::BehaviorSet,
            Self::Metric(_) => ItemKind::Metric,
            Self::Persona(_) => ItemKind::Persona,
            Self::Scenario(_) => ItemKind::Scenario,
        }
    }

    /// Returns what an item is found by beside its name, as the contract has it; never a secret.
    pub fn searched_text(&self) -> String {
        match self {
            Self::BehaviorSet(document) => document.conversation_triggers.join("\n"),
            Self::Persona(document) => document.background.clone(),
            Self::Metric(_) | Self::Scenario(_) => String::new(),
        }
    }
}

/// The content of a version of one kind of item.
pub trait ItemContent: Sized {
    /// The kind of the item.
    const KIND: ItemKind;

    /// Takes the content out of a document, or `None` if it is of another kind.
    fn of(document: ItemDocument) -> Option<Self>;
}

macro_rules! contents {
    ($($content:ty = $kind:ident;)*) => {
        $(impl ItemContent for $content {
            const KIND: ItemKind = ItemKind::$kind;

            fn of(document: ItemDocument) -> Option<Self> {
                match document {
                    ItemDocument::$kind(content) => Some(content),
                    _ => None,
                }
            }
        })*
    };
}

contents! {
    MetricDocument = Metric;
    PersonaDocument = Persona;
    ScenarioDocument = Scenario;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in ItemKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert_eq!("agent".parse::<ItemKind>(), Err(UnknownItemKind));
    }

    #[test]
    fn secrets_of_a_persona_are_neither_searched_nor_printed() {
        let persona = serde_json::json!({
            "background": "Impatient.", "preferred_language": null, "timezone": null, "user_models": [],
            "nonsensitive_user_variables": {}, "sensitive_user_variables": {"pin": "0815-secret"},
        });
        let document = ItemDocument::Persona(serde_json::from_value(persona).unwrap());
        assert_eq!(document.searched_text(), "Impatient.");
        assert!(!format!("{document:?}").contains("0815-secret"));
    }
}
