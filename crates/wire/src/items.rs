//! Dynamic behavior sets, metrics, personas and scenarios, as far as their answers are alike.

use forge_domain::item::{FilterValues, Item, ItemDetails, ItemKind};
use forge_domain::tag::Tags;
use forge_domain::{ItemVersionId, OrganizationId, Timestamp, UserRef, VersionNumber};
use serde::{Deserialize, Serialize};

/// Returns the name that a list of this kind has in its answer.
pub fn list_key(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::BehaviorSet => "dynamic_behavior_sets",
        ItemKind::Metric => "metrics",
        ItemKind::Persona => "simulation_personas",
        ItemKind::Scenario => "simulation_scenarios",
    }
}

/// Returns the name that a list of versions of this kind has in its answer.
pub fn version_list_key(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::BehaviorSet => "dynamic_behavior_set_versions",
        ItemKind::Metric => "metric_versions",
        ItemKind::Persona => "simulation_persona_versions",
        ItemKind::Scenario => "simulation_scenario_versions",
    }
}

/// A kind of item that answers tell of.
pub trait ItemAnswers: ItemDetails {
    /// An item in an answer.
    type Instance: Serialize + Send;
    /// What the filters of a list can take.
    type FilterValues: Serialize + Send;

    /// Builds the answer about an item.
    fn instance(organization: &OrganizationId, item: Item<Self>) -> Self::Instance;

    /// Builds the answer about what the filters of a list can take.
    fn filter_values(values: FilterValues<Self>) -> Self::FilterValues;
}

/// A kind of item whose versions are listed.
pub trait VersionAnswers: ItemAnswers {
    /// A version in an answer.
    type VersionInstance: Serialize + Send;

    /// Builds the answer about a version.
    fn version_instance(version: VersionParts<'_, Self>) -> Self::VersionInstance;
}

/// What the answer about a version of an item is made of.
///
/// It cannot be printed: it may have secrets.
pub struct VersionParts<'a, D: ItemDetails> {
    /// The organization.
    pub organization: &'a OrganizationId,
    /// The id of the item.
    pub id: forge_domain::Id<D::IdKind>,
    /// The version's id beside its number.
    pub object_id: ItemVersionId,
    /// Its number.
    pub version: VersionNumber,
    /// Its content.
    pub document: D::Document,
    /// Whether the caller may see what is secret in it; what is not shown is left out.
    pub with_secrets: bool,
    /// Who created it.
    pub creator: UserRef,
    /// When it was created.
    pub created_at: Timestamp,
}

/// The body that changes a persona or a scenario; null and absent fields stay as they are.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct UpdateTags {
    /// The tags.
    pub tags: Option<Tags>,
}

impl From<UpdateTags> for forge_domain::item::UpdateTags {
    fn from(body: UpdateTags) -> Self {
        Self { tags: body.tags }
    }
}

/// The answer of creating a version of a persona or a scenario.
#[derive(Debug, Serialize)]
pub struct NumberCreated {
    /// Its number.
    pub version: VersionNumber,
}
