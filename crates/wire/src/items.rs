//! Dynamic behavior sets, metrics, personas and scenarios, as far as their answers are alike.

use std::collections::BTreeSet;

use forge_domain::item::{Item, ItemDetails, ItemDocument, ItemKind};
use forge_domain::metric::MetricValueKind;
use forge_domain::{OrganizationId, ServiceId, Timestamp, UserRef, VersionNumber};
use serde_json::{Map, Value, json};

use crate::rfc3339;
use crate::services::Tag;

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

/// Builds the answer about an item.
pub fn instance(organization: &OrganizationId, item: Item) -> Map<String, Value> {
    let mut instance = Map::new();
    let mut put = |name: &str, value: Value| {
        instance.insert(name.to_owned(), value);
    };
    put("id", item.id.into());
    put("name", item.name.into());
    // Metrics have their tags as a list, all else as an object.
    if let ItemDetails::Metric { .. } = item.details {
        let tags = item.tags.into_iter().map(|(key, value)| Tag { key, value });
        put("tags", json!(tags.collect::<Vec<_>>()));
        put("org_id", json!(organization));
    } else {
        put("tags", json!(item.tags));
    }
    match item.details {
        ItemDetails::BehaviorSet { applied_to_services } => {
            put("is_active", item.is_active.into());
            put("applied_to_services", json!(applied_to_services));
        }
        ItemDetails::Metric {
            applied_to_services,
            additional_notes,
            value_kind,
        } => {
            put("is_deleted", item.is_deleted.into());
            put("applied_to_services", json!(applied_to_services));
            put("additional_notes", json!(additional_notes));
            put("metric_value_type", json!(value_kind));
        }
        ItemDetails::Persona { role } => {
            put("is_deleted", item.is_deleted.into());
            put("role", role.into());
        }
        ItemDetails::Scenario {} => put("is_deleted", item.is_deleted.into()),
    }
    put("created_at", rfc3339(item.created_at).into());
    put("creator", json!(item.creator));
    put("updated_at", rfc3339(item.updated_at).into());
    put("updated_by", json!(item.updated_by));
    instance
}

/// What the answer about a version of an item is made of.
#[derive(Debug)]
pub struct VersionParts<'a> {
    /// The organization.
    pub organization: &'a OrganizationId,
    /// The id of the item.
    pub id: &'a str,
    /// The version's id beside its number.
    pub object_id: &'a str,
    /// Its number.
    pub version: VersionNumber,
    /// Its content.
    pub document: &'a ItemDocument,
    /// Whether the caller may see what is secret in it; what is not shown is left out.
    pub with_secrets: bool,
    /// Who created it.
    pub creator: &'a UserRef,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Builds the answer about one version: its content, with what identifies it beside.
pub fn version_instance(parts: &VersionParts<'_>) -> Map<String, Value> {
    let kind = parts.document.kind();
    let mut instance = match content(parts.document, parts.with_secrets) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let created_at = rfc3339(parts.created_at);
    let beside = json!({
        "_id": parts.object_id,
        "org_id": parts.organization,
        "created_at": created_at,
        "updated_at": created_at,
        format!("{}_id", kind.as_str()): parts.id,
        "version": parts.version,
        "creator": parts.creator,
    });
    if let Value::Object(beside) = beside {
        instance.extend(beside);
    }
    instance
}

fn content(document: &ItemDocument, with_secrets: bool) -> Value {
    match document {
        ItemDocument::BehaviorSet(document) => json!(document),
        ItemDocument::Metric(document) => json!(document),
        ItemDocument::Scenario(document) => {
            let mut content = json!(document);
            content["conversation_starts_at"] = json!(document.conversation_starts_at.map(rfc3339));
            content
        }
        ItemDocument::Persona(document) => {
            let mut content = json!(document);
            if let (Value::Object(fields), false) = (&mut content, with_secrets) {
                fields.remove("sensitive_user_variables");
            }
            content
        }
    }
}

/// What the filters of a list can take.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct FilterValues {
    pub creators: Vec<UserRef>,
    pub tags: BTreeSet<String>,
    pub applied_to_services: BTreeSet<ServiceId>,
    pub roles: BTreeSet<String>,
    pub value_kinds: BTreeSet<MetricValueKind>,
}

impl FilterValues {
    /// Builds the part of the answer that a list of this kind has.
    pub fn of_kind(self, kind: ItemKind) -> Value {
        let mut values = json!({"creators": self.creators, "tags": self.tags});
        match kind {
            ItemKind::BehaviorSet => values["applied_to_services_ids"] = json!(self.applied_to_services),
            ItemKind::Metric => {
                values["applied_to_services_ids"] = json!(self.applied_to_services);
                values["types"] = json!(self.value_kinds);
            }
            ItemKind::Persona => values["roles"] = json!(self.roles),
            ItemKind::Scenario => {}
        }
        values
    }
}
