//! The served document: it tells exactly what is served, and its Classic part is the public contract.

mod contract;
mod document;
mod served;

use std::collections::BTreeSet;

use forge_domain::audit::canonical_json;
use serde_json::{Value, json};

use crate::support::operations::{Operation, operations};

fn ids(document: &Value) -> BTreeSet<&str> {
    operations(document).into_keys().collect()
}

/// Keywords that only speak to people.
const PROSE: &[&str] = &[
    "title",
    "description",
    "summary",
    "example",
    "examples",
    "externalDocs",
];

/// Keywords whose value is made of further schemas.
const STRUCTURE: &[&str] = &[
    "$ref",
    "properties",
    "required",
    "items",
    "prefixItems",
    "additionalProperties",
    "propertyNames",
    "anyOf",
    "oneOf",
    "allOf",
];

/// Writes lines about one operation.
struct Lines<'d> {
    document: &'d Value,
    id: &'d str,
    found: BTreeSet<String>,
    /// The schemas that the current place is inside of.
    open: Vec<&'d str>,
}

impl<'d> Lines<'d> {
    /// Returns everything about an operation that a program can depend on.
    fn of(document: &'d Value, id: &'d str, operation: &Operation<'d>) -> BTreeSet<String> {
        let mut lines = Self {
            document,
            id,
            found: BTreeSet::new(),
            open: Vec::new(),
        };
        let content = operation.content;
        lines.add(&format!("call {} {}", operation.method, operation.path));
        let security = content.get("security").unwrap_or(&document["security"]);
        lines.add(&format!("security {}", canonical_json(security)));
        for parameter in content["parameters"].as_array().into_iter().flatten() {
            let word = |key: &str| parameter[key].as_str().unwrap_or_default();
            let marker = if parameter["required"] == true { "!" } else { "?" };
            lines.schema(
                &format!("parameter {} {}{marker}", word("in"), word("name")),
                &parameter["schema"],
            );
        }
        if let Some(body) = content.get("requestBody") {
            let marker = if body["required"] == true { "!" } else { "?" };
            lines.content(&format!("request{marker}"), body);
        }
        for (status, answer) in content["responses"].as_object().unwrap() {
            lines.add(&format!("status {status}"));
            lines.content(&format!("answer {status}"), answer);
        }
        lines.found
    }

    fn add(&mut self, line: &str) {
        self.found.insert(format!("{} {line}", self.id));
    }

    fn content(&mut self, place: &str, owner: &'d Value) {
        for (kind, content) in owner["content"].as_object().into_iter().flatten() {
            self.schema(&format!("{place} {kind} "), &content["schema"]);
        }
    }

    fn schema(&mut self, place: &str, schema: &'d Value) {
        if let Some(reference) = schema["$ref"].as_str() {
            if self.open.contains(&reference) {
                return self.add(&format!("{place} {reference}"));
            }
            let target = self
                .document
                .pointer(&reference[1..])
                .unwrap_or_else(|| panic!("no {reference}"));
            self.open.push(reference);
            self.schema(place, target);
            self.open.pop();
            return;
        }
        let mut rules = schema.as_object().cloned().unwrap_or_default();
        rules.retain(|keyword, value| is_rule(keyword, value));
        self.add(&format!("{place} {}", canonical_json(&rules.into())));
        let required: Vec<&Value> = schema["required"].as_array().into_iter().flatten().collect();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_required = required.contains(&&json!(name));
            let marker = if is_required { "!" } else { "?" };
            self.schema(&format!("{place}.{name}{marker}"), property);
        }
        for keyword in ["items", "additionalProperties", "propertyNames"] {
            if schema[keyword].is_object() {
                self.schema(&format!("{place}.<{keyword}>"), &schema[keyword]);
            }
        }
        for keyword in ["prefixItems", "anyOf", "oneOf", "allOf"] {
            for (position, part) in schema[keyword].as_array().into_iter().flatten().enumerate() {
                self.schema(&format!("{place}.<{keyword} {position}>"), part);
            }
        }
    }
}

/// Tells a keyword that restricts values from prose and from what has lines of its own.
fn is_rule(keyword: &str, value: &Value) -> bool {
    !PROSE.contains(&keyword) && (value.is_boolean() || !STRUCTURE.contains(&keyword))
}
