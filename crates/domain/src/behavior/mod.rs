//! Dynamic behavior sets: what an agent does differently when a conversation turns to something.

mod invocation;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::context_graph::ResultPersistence;
use crate::id::kind;
use crate::item::{
    CreateItem, DetailsFilter, Item, ItemDetails, ItemDocument, ItemFields, ItemKind, ItemUpdate,
    without_repetitions,
};
use crate::tag::Tags;
use crate::{ServiceId, ToolId};

pub use invocation::{BehaviorInvocation, NewBehaviorInvocation};

/// A dynamic behavior set, without its versions.
pub type BehaviorSet = Item<BehaviorSetDetails>;

/// What only dynamic behavior sets have.
///
/// The tag stands for the kind in what is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename = "behavior-set")]
pub struct BehaviorSetDetails {
    /// The services in whose conversations it may apply; none means nowhere.
    pub applied_to_services: Vec<ServiceId>,
}

impl ItemDetails for BehaviorSetDetails {
    const KIND: ItemKind = ItemKind::BehaviorSet;
    const CHANGES_SERVICES: bool = true;
    type IdKind = kind::BehaviorSet;
    type Document = BehaviorDocument;
    type Update = UpdateBehaviorSet;
    type Filter = BehaviorSetFilter;

    fn applied_to_services(&self) -> &[ServiceId] {
        &self.applied_to_services
    }

    fn audit_fields(&self, is_active: bool) -> Vec<(&'static str, Value)> {
        vec![
            ("is_active", is_active.into()),
            ("applied_to_services", json!(self.applied_to_services)),
        ]
    }
}

/// What changes about a behavior set; what is absent stays as it is.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of a behavior set")]
pub struct UpdateBehaviorSet {
    pub name: Option<String>,
    pub is_active: Option<bool>,
    pub tags: Option<Tags>,
    pub applied_to_services: Option<Vec<ServiceId>>,
}

impl ItemUpdate<BehaviorSetDetails> for UpdateBehaviorSet {
    fn apply(self, set: &BehaviorSet) -> BehaviorSet {
        let set = set.clone();
        let services = self.applied_to_services.map(without_repetitions);
        BehaviorSet {
            name: self.name.unwrap_or(set.name),
            is_active: self.is_active.unwrap_or(set.is_active),
            tags: self.tags.unwrap_or(set.tags),
            details: BehaviorSetDetails {
                applied_to_services: services.unwrap_or(set.details.applied_to_services),
            },
            ..set
        }
    }
}

/// Which behavior sets are wanted; what is absent or empty admits all.
#[derive(Debug, Clone, Default)]
pub struct BehaviorSetFilter {
    /// Only active ones, or only others.
    pub is_active: Option<bool>,
    /// Applied to one of these services.
    pub applied_to_services: Vec<ServiceId>,
}

impl DetailsFilter<BehaviorSetDetails> for BehaviorSetFilter {
    /// The services that sets are applied to.
    type Values = BTreeSet<ServiceId>;

    fn admits(&self, set: &BehaviorSet) -> bool {
        let applied = &set.details.applied_to_services;
        self.is_active.is_none_or(|wanted| wanted == set.is_active)
            && (self.applied_to_services.is_empty()
                || applied
                    .iter()
                    .any(|service| self.applied_to_services.contains(service)))
    }

    fn is_active(&self) -> Option<bool> {
        self.is_active
    }

    fn add_values(values: &mut Self::Values, set: &BehaviorSet) {
        values.extend(&set.details.applied_to_services);
    }
}

/// A behavior set to be created.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are those of a behavior set")]
pub struct CreateBehaviorSet {
    pub name: String,
    pub is_active: bool,
    pub tags: Tags,
    pub applied_to_services: Vec<ServiceId>,
    pub document: BehaviorDocument,
}

impl From<CreateBehaviorSet> for CreateItem<BehaviorSetDetails> {
    fn from(create: CreateBehaviorSet) -> Self {
        Self {
            fields: ItemFields {
                name: create.name,
                is_active: create.is_active,
                tags: create.tags,
                details: BehaviorSetDetails {
                    applied_to_services: without_repetitions(create.applied_to_services),
                },
            },
            document: create.document,
        }
    }
}

impl ItemDocument for BehaviorDocument {
    fn searched_text(&self) -> String {
        self.conversation_triggers.join("\n")
    }
}

/// The content of one version of a behavior set.
///
/// Field names are the wire's, so that a version is stored as it is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BehaviorDocument {
    /// What a conversation turns to when the set applies, each in plain words.
    pub conversation_triggers: Vec<String>,
    /// What the agent does then.
    pub actions: Vec<BehaviorAction>,
}

/// Something that a behavior set changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum BehaviorAction {
    /// Adds an instruction to those of the state.
    InjectInstruction {
        /// What the agent is told.
        instruction: String,
        /// Whether it stands in place of the state's own instructions.
        overrides_instructions: bool,
    },
    /// Offers other tools than the state does.
    ChangeToolCandidates {
        /// The tools.
        tool_call_specs: Vec<NamedToolCallSpec>,
        /// Whether they stand in place of the state's own tools.
        overrides_existing_tool_call_specs: bool,
    },
}

/// A tool that a behavior set offers, with the name under which people know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct NamedToolCallSpec {
    pub tool_id: ToolId,
    pub version_constraint: String,
    pub additional_instruction: String,
    pub audio_fillers: Vec<String>,
    pub audio_filler_triggered_after: f64,
    pub result_persistence: ResultPersistence,
    pub tool_name: String,
}

impl BehaviorDocument {
    /// Returns every tool that the set offers.
    pub fn tools(&self) -> impl Iterator<Item = ToolId> + '_ {
        self.actions
            .iter()
            .flat_map(|action| match action {
                BehaviorAction::InjectInstruction { .. } => &[],
                BehaviorAction::ChangeToolCandidates { tool_call_specs, .. } => tool_call_specs.as_slice(),
            })
            .map(|spec| spec.tool_id)
    }
}
