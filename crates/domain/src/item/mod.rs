//! Items: what is configured beside agents and context graphs and has versions, too.
//!
//! Dynamic behavior sets, metrics, simulated personas and scenarios differ in what they hold; how they are named, changed
//! and found is the same. So an item is generic in its details, and each kind says in a file of its own, which implements
//! [`ItemDetails`], what its items have, can be filtered by, and how they change.

mod filter;
mod kind;
mod version;

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::id::{self, Id};
use crate::tag::Tags;
use crate::user::Variables;
use crate::{ServiceId, Timestamp, UserRef, VersionNumber};

pub use filter::{CreatorFilter, DetailsFilter, FilterValues, ItemFilter, ItemFlags};
pub use kind::{ItemKind, UnknownItemKind};
pub use version::ItemVersion;

/// What the items of one kind have beside what all items have.
///
/// The type of the details is the type of the kind: it decides what identifies an item, what its versions hold, and
/// how it is changed and filtered.
pub trait ItemDetails:
    Clone + fmt::Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The kind, for the store, the audit log and messages.
    const KIND: ItemKind;
    /// Whether services behave differently while an active item is applied to them.
    const CHANGES_SERVICES: bool = false;
    /// What marks the ids of such items.
    type IdKind: id::Kind + Send + Sync + 'static;
    /// The content of a version.
    type Document: ItemDocument;
    /// What a caller may change about such an item.
    type Update: ItemUpdate<Self>;
    /// What such items can be filtered by, beside what all can be.
    type Filter: DetailsFilter<Self>;

    /// Returns the services that the item is applied to.
    fn applied_to_services(&self) -> &[ServiceId] {
        &[]
    }

    /// Returns what the audit log shows beside the name and the tags: never what may be about people.
    fn audit_fields(&self, is_active: bool) -> Vec<(&'static str, Value)>;
}

/// What a caller changes about an item; what is absent stays as it is.
pub trait ItemUpdate<D: ItemDetails>: Send {
    /// Returns the item as it is after the change.
    fn apply(self, item: &Item<D>) -> Item<D>;
}

/// The content of one version of an item.
pub trait ItemDocument: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Returns what an item is found by beside its name, as the contract has it; never a secret.
    fn searched_text(&self) -> String {
        String::new()
    }

    /// Takes out what is secret, so that it can be kept apart.
    fn take_secrets(&mut self) -> Variables {
        Variables::new()
    }

    /// Puts back what [`take_secrets`](Self::take_secrets) took out.
    fn put_secrets(&mut self, secrets: Variables) {
        drop(secrets);
    }
}

/// An item, without its versions.
#[derive(Debug, Clone, PartialEq)]
pub struct Item<D: ItemDetails> {
    /// Its id.
    pub id: Id<D::IdKind>,
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
    pub details: D,
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

impl<D: ItemDetails> Item<D> {
    /// Returns the services that behave differently while the item is there: those that a behavior set is applied to
    /// as long as it is active.
    pub fn changed_services(&self) -> &[ServiceId] {
        if D::CHANGES_SERVICES && self.is_active {
            self.details.applied_to_services()
        } else {
            &[]
        }
    }
}

/// The fields of an item that a caller decides.
#[derive(Debug, Clone)]
pub struct ItemFields<D: ItemDetails> {
    /// Its name.
    pub name: String,
    /// Whether it is used.
    pub is_active: bool,
    /// Its tags.
    pub tags: Tags,
    /// What only items of its kind have.
    pub details: D,
}

/// An item that is to be created, with its first version.
///
/// It cannot be printed: a persona has secrets.
#[derive(Clone)]
pub struct CreateItem<D: ItemDetails> {
    /// What is decided of it.
    pub fields: ItemFields<D>,
    /// The content of its first version.
    pub document: D::Document,
}

/// New tags of an item, or the old ones: what changes about a persona or a scenario.
#[derive(Debug, Clone, Default)]
pub struct UpdateTags {
    /// The tags.
    pub tags: Option<Tags>,
}

impl<D: ItemDetails> ItemUpdate<D> for UpdateTags {
    fn apply(self, item: &Item<D>) -> Item<D> {
        let mut changed = item.clone();
        if let Some(tags) = self.tags {
            changed.tags = tags;
        }
        changed
    }
}

/// Returns services in their order, each once.
pub fn without_repetitions(ids: Vec<ServiceId>) -> Vec<ServiceId> {
    let mut seen = std::collections::HashSet::new();
    ids.into_iter().filter(|id| seen.insert(*id)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::behavior::BehaviorSetDetails;
    use crate::metric::{MetricDetails, MetricValueKind};
    use crate::simulation::{PersonaDetails, ScenarioDetails};

    fn stored_as<D: ItemDetails>(details: &D, stored: &Value) {
        assert_eq!(serde_json::to_value(details).unwrap(), *stored);
        assert_eq!(serde_json::from_value::<D>(stored.clone()).unwrap(), *details);
    }

    #[test]
    fn details_are_stored_with_the_name_of_their_kind() {
        stored_as(
            &BehaviorSetDetails {
                applied_to_services: vec![],
            },
            &json!({"kind": "behavior-set", "applied_to_services": []}),
        );
        stored_as(
            &MetricDetails {
                applied_to_services: vec![],
                additional_notes: None,
                value_kind: MetricValueKind::Boolean,
            },
            &json!({"kind": "metric", "applied_to_services": [], "additional_notes": null, "value_kind": "boolean"}),
        );
        let persona = PersonaDetails {
            role: "customer".to_owned(),
        };
        stored_as(&persona, &json!({"kind": "persona", "role": "customer"}));
        stored_as(&ScenarioDetails {}, &json!({"kind": "scenario"}));
    }
}
