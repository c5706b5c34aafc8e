//! Scenarios: what personas are after in simulations.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::kind;
use crate::item::{CreateItem, Item, ItemDetails, ItemDocument, ItemFields, ItemKind, UpdateTags};
use crate::tag::Tags;
use crate::time::Timestamp;

/// A scenario, without its versions.
pub type Scenario = Item<ScenarioDetails>;

/// What only scenarios have: nothing.
///
/// The tag stands for the kind in what is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename = "scenario")]
pub struct ScenarioDetails {}

impl ItemDetails for ScenarioDetails {
    const KIND: ItemKind = ItemKind::Scenario;
    type IdKind = kind::Scenario;
    type Document = ScenarioDocument;
    type Update = UpdateTags;
    type Filter = ();

    fn audit_fields(&self, _: bool) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
}

/// A scenario to be created.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are those of a scenario")]
pub struct CreateScenario {
    pub name: String,
    pub tags: Tags,
    pub document: ScenarioDocument,
}

impl From<CreateScenario> for CreateItem<ScenarioDetails> {
    fn from(create: CreateScenario) -> Self {
        Self {
            fields: ItemFields {
                name: create.name,
                is_active: true,
                tags: create.tags,
                details: ScenarioDetails {},
            },
            document: create.document,
        }
    }
}

/// The content of one version of a scenario: what the persona is after, and how the conversation begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct ScenarioDocument {
    pub objective: String,
    pub instructions: String,
    pub initial_message_type: InitialMessageType,
    /// When the conversation takes place for those who hold it; absent: now.
    pub conversation_starts_at: Option<Timestamp>,
}

/// What a turn of the user's side begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitialMessageType {
    /// Something that the user says.
    UserMessage,
    /// Something that happens.
    ExternalEvent,
    /// Nothing: the agent speaks.
    Skip,
}

impl ItemDocument for ScenarioDocument {}
