//! Bounds of what a body may hold, for every part of it that the contract leaves open.
//!
//! They are far beyond what is written by hand, and stand in the document that is served. What is bounded by the size of
//! a body alone is listed here, with why.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::reference::schema_name;

/// The operations whose bodies are bounded by their size alone, and why.
pub(super) const WHOLE_DOCUMENTS: [(&str, &str); 5] = [
    (
        "create-agent-version",
        "an agent is one document, written once and read whole",
    ),
    (
        "create-service-hierarchical-state-machine-version",
        "a context graph is one document, written once and read whole",
    ),
    ("create-organization", "pictures are as large as they are"),
    ("modify-organization", "pictures are as large as they are"),
    (
        "interact-with-conversation",
        "a form, whose fields its endpoint reads; speech is as long as it is",
    ),
];

/// The keyword of ours that bounds how large a value is as JSON, in bytes.
pub(super) const MAX_BYTES: &str = "x-max-bytes";

/// How many letters a text may have, a name, a description, and an address.
const TEXT: u64 = 65_536;
const NAME: u64 = 1_024;
const DESCRIPTION: u64 = 16_384;
const ADDRESS: u64 = 8_192;

/// How many items a list may have, and how many keys an object whose keys callers choose.
const ITEMS: u64 = 10_000;
const KEYS: u64 = 1_000;

/// How large the models that a set prefers may be together, and any one value of which the contract says nothing.
const PREFERENCES_BYTES: u64 = 256 * 1024;
const VALUE_BYTES: u64 = 16 * 1024;

/// The field whose size as a whole has a bound, beside what is in it.
const PREFERENCES: &str = "llm_model_preferences";

/// Adds a bound to every part of a body that has none.
pub(super) fn add_bounds(document: &mut Value) {
    let mut bounds = Bounds {
        document,
        seen: BTreeSet::new(),
        found: BTreeMap::new(),
    };
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let id = &operation["operationId"];
            if WHOLE_DOCUMENTS.iter().any(|(whole, _)| id == whole) {
                continue;
            }
            let content = operation["requestBody"]["content"].as_object();
            for media in content.into_iter().flatten().map(|(media, _)| media) {
                let pointer = format!(
                    "/paths/{}/{method}/requestBody/content/{}/schema",
                    escaped(path),
                    escaped(media)
                );
                bounds.look_at(&pointer, "");
            }
        }
    }
    for ((pointer, keyword), bound) in bounds.found {
        if let Some(schema) = document.pointer_mut(&pointer) {
            schema[keyword] = bound;
        }
    }
}

struct Bounds<'d> {
    document: &'d Value,
    seen: BTreeSet<String>,
    /// By the place of a schema, and a keyword that it lacks.
    found: BTreeMap<(String, &'static str), Value>,
}

impl Bounds<'_> {
    fn add(&mut self, pointer: &str, keyword: &'static str, bound: impl Into<Value>) {
        self.found.insert((pointer.to_owned(), keyword), bound.into());
    }

    /// Looks at the schema at a place, which is that of a field of this name.
    fn look_at(&mut self, pointer: &str, name: &str) {
        let document = self.document;
        let Some(Value::Object(schema)) = document.pointer(pointer) else {
            return;
        };
        if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(schema_name) {
            let place = format!("/components/schemas/{}", escaped(target));
            match document.pointer(&place) {
                // Others may mean longer texts by the same name, so that the bound stands beside it.
                Some(text) if text["type"] == "string" => self.text(pointer, text, name),
                _ => self.once(&place, name),
            }
            return;
        }
        for keyword in ["anyOf", "oneOf", "allOf"] {
            let alternatives = schema.get(keyword).and_then(Value::as_array);
            for index in 0..alternatives.map_or(0, Vec::len) {
                self.look_at(&format!("{pointer}/{keyword}/{index}"), name);
            }
        }
        let kinds = kinds(schema.get("type"));
        if kinds.contains(&"string") {
            self.text(
                pointer,
                &document.pointer(pointer).cloned().unwrap_or_default(),
                name,
            );
        }
        if kinds.contains(&"array") {
            if !schema.contains_key("maxItems") {
                self.add(pointer, "maxItems", ITEMS);
            }
            let fixed = schema.get("prefixItems").and_then(Value::as_array);
            for index in 0..fixed.map_or(0, Vec::len) {
                self.look_at(&format!("{pointer}/prefixItems/{index}"), name);
            }
            self.look_at(&format!("{pointer}/items"), name);
        }
        let fields = schema.get("properties").and_then(Value::as_object);
        for field in fields.into_iter().flatten().map(|(field, _)| field) {
            self.look_at(&format!("{pointer}/properties/{}", escaped(field)), field);
        }
        match schema.get("additionalProperties") {
            Some(Value::Bool(false)) | None => {}
            Some(_) => self.map(pointer, name),
        }
        let says_nothing = ["type", "anyOf", "oneOf", "allOf", "enum", "const", "properties"];
        if !says_nothing.iter().any(|keyword| schema.contains_key(*keyword)) {
            self.add(pointer, MAX_BYTES, VALUE_BYTES);
        }
    }

    /// Looks at a schema that several places refer to, unless it was looked at.
    fn once(&mut self, pointer: &str, name: &str) {
        if self.seen.insert(pointer.to_owned()) {
            self.look_at(pointer, name);
        }
    }

    /// Looks at an object whose keys callers choose.
    fn map(&mut self, pointer: &str, name: &str) {
        let schema = self.document.pointer(pointer).unwrap_or(&Value::Null);
        if schema.get("maxProperties").is_none() {
            self.add(pointer, "maxProperties", KEYS);
        }
        if schema.get("propertyNames").is_some() {
            self.look_at(&format!("{pointer}/propertyNames"), "name");
        } else {
            self.add(
                pointer,
                "propertyNames",
                json!({"type": "string", "maxLength": NAME}),
            );
        }
        if schema["additionalProperties"].is_object() {
            self.look_at(&format!("{pointer}/additionalProperties"), name);
        }
        if name == PREFERENCES {
            self.add(pointer, MAX_BYTES, PREFERENCES_BYTES);
        } else if schema["additionalProperties"] == true {
            self.add(pointer, MAX_BYTES, VALUE_BYTES);
        }
    }

    /// Looks at a text of a field of this name; the schema says what it must be like.
    fn text(&mut self, pointer: &str, schema: &Value, name: &str) {
        let has = |keyword: &str| schema.get(keyword).is_some();
        if has("maxLength") || has("enum") || has("const") || has_fixed_length(schema) {
            return;
        }
        let is_called = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
        let most = match schema["format"].as_str() {
            Some("uri") => ADDRESS,
            Some(_) => NAME,
            None if is_called(&["name", "id", "source", "target", "tags", "keyterms"]) => NAME,
            None if is_called(&["description", "justification", "notes"]) => DESCRIPTION,
            None => TEXT,
        };
        self.add(pointer, "maxLength", most);
    }
}

/// Returns `true` if a pattern admits texts of one length alone, such as ids.
fn has_fixed_length(schema: &Value) -> bool {
    let pattern = schema["pattern"].as_str().unwrap_or_default();
    pattern.ends_with("}$") && !pattern.contains(['*', '+', ','])
}

/// Returns the types that a schema names.
fn kinds(kind: Option<&Value>) -> Vec<&str> {
    match kind {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// Returns a name as a step of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Says that a value is larger than that.
pub(super) fn too_large(most: u64) -> String {
    format!("must have at most {most} bytes as JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract;

    fn faults(id: &str, body: Value) -> Vec<String> {
        let read = contract().operation(id).unwrap().read_body(body);
        let found = read.err().unwrap_or_default();
        found.iter().map(ToString::to_string).collect()
    }

    fn set(preferences: &Value) -> Value {
        json!({"version_set": {"agent_version_number": 1, "llm_model_preferences": preferences,
            "service_hierarchical_state_machine_version_number": 1}})
    }

    /// Adds the places of a served schema that have no bound.
    fn unbounded<'d>(
        schema: &'d Value,
        document: &'d Value,
        place: &str,
        seen: &mut BTreeSet<&'d str>,
        found: &mut Vec<String>,
    ) {
        let has = |keyword: &str| schema.get(keyword).is_some();
        if let Some(target) = schema["$ref"].as_str() {
            let inner = document.pointer(&target[1..]).unwrap();
            let is_bounded_text = inner["type"] == "string" && has("maxLength");
            if !is_bounded_text && seen.insert(target) {
                unbounded(inner, document, target, seen, found);
                if inner["type"] == "string" {
                    // Another place may refer to it without a bound.
                    seen.remove(target);
                }
            }
            return;
        }
        let kinds = kinds(schema.get("type"));
        let is_told = has("enum") || has("const");
        let is_open = schema
            .get("additionalProperties")
            .is_some_and(|more| *more != false);
        let says_nothing = !is_told && !has("type") && !has("anyOf") && !has("oneOf") && !has("properties");
        let is_bounded = |kind: &str, keyword: &str| !kinds.contains(&kind) || has(keyword);
        if !is_told && !has_fixed_length(schema) && !is_bounded("string", "maxLength")
            || !is_bounded("array", "maxItems")
            || is_open && !(has("maxProperties") && has("propertyNames"))
            || schema["additionalProperties"] == true && !has(MAX_BYTES)
            || says_nothing && !has(MAX_BYTES)
        {
            found.push(place.to_owned());
        }
        let mut inside = |inner: &'d Value, step: &str| {
            unbounded(inner, document, &format!("{place}.{step}"), seen, found);
        };
        for keyword in ["anyOf", "oneOf", "allOf", "prefixItems"] {
            let parts = schema[keyword].as_array();
            parts
                .into_iter()
                .flatten()
                .for_each(|inner| inside(inner, keyword));
        }
        for keyword in ["items", "additionalProperties", "propertyNames"] {
            schema
                .get(keyword)
                .filter(|inner| inner.is_object())
                .into_iter()
                .for_each(|inner| inside(inner, keyword));
        }
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            inside(inner, name);
        }
    }

    #[test]
    fn every_part_of_a_body_has_a_bound_unless_it_is_a_document_of_its_own() {
        let ids: BTreeSet<&str> = contract().operations().map(|one| one.id.as_str()).collect();
        let document = contract().serving(&ids);
        let mut found = Vec::new();
        let mut wholes = BTreeSet::new();
        for item in document["paths"].as_object().unwrap().values() {
            for operation in item.as_object().unwrap().values() {
                let id = operation["operationId"].as_str().unwrap();
                if let Some((whole, _)) = WHOLE_DOCUMENTS.iter().find(|(whole, _)| id == *whole) {
                    wholes.insert(*whole);
                    continue;
                }
                let content = operation["requestBody"]["content"].as_object();
                for media in content.into_iter().flatten().map(|(_, media)| media) {
                    unbounded(&media["schema"], &document, id, &mut BTreeSet::new(), &mut found);
                }
            }
        }
        assert_eq!(found, Vec::<String>::new());
        assert_eq!(wholes.len(), WHOLE_DOCUMENTS.len(), "each of them is there");
    }

    #[test]
    fn a_set_prefers_a_thousand_models_at_the_most() {
        let models = |count: usize| -> Value {
            let models = (0..count).map(|n| (format!("i{n}"), json!({"llm_name": "m", "params": {}})));
            Value::Object(models.collect())
        };
        let put = "upsert-service-version-set";
        assert_eq!(faults(put, set(&models(1_000))), Vec::<String>::new());
        assert_eq!(
            faults(put, set(&models(1_001))),
            ["body.version_set.llm_model_preferences: must have at most 1000 items"]
        );
        let key = "k".repeat(1_025);
        let told = faults(put, set(&json!({key: {"llm_name": "m"}})));
        assert!(
            told[0].ends_with("the text has more than 1024 characters"),
            "{told:?}"
        );
    }

    #[test]
    fn preferences_are_bounded_in_bytes_each_and_together() {
        let models = |count: usize, letters: usize| -> Value {
            let params = json!({"p": "x".repeat(letters)});
            let models = (0..count).map(|n| (format!("i{n}"), json!({"llm_name": "m", "params": params})));
            Value::Object(models.collect())
        };
        let put = "upsert-service-version-set";
        assert_eq!(faults(put, set(&models(15, 16_000))), Vec::<String>::new());
        assert_eq!(
            faults(put, set(&models(17, 16_000))),
            ["body.version_set.llm_model_preferences: must have at most 262144 bytes as JSON"]
        );
        assert_eq!(
            faults(put, set(&models(1, 17_000))),
            ["body.version_set.llm_model_preferences.i0.params: must have at most 16384 bytes as JSON"]
        );
    }

    #[test]
    fn texts_are_bounded_by_what_they_are() {
        let role = |name: usize, description: usize, values: Value| {
            json!({"role_name": "n".repeat(name), "description": "d".repeat(description), "frontend_view": "admin",
                "permission_grants": [{"action": "Allow", "permission_name": "Role:GetRole",
                    "conditions": {"role_name": {"type": "In", "values": values}}}]})
        };
        let told = faults(
            "create-role",
            role(100_000, 20_000, json!([{"a": "x".repeat(20_000)}])),
        );
        assert_eq!(told.len(), 3, "{told:?}");
        let told = faults("create-role", role(5, 16_384, json!(["x"])));
        assert_eq!(told, Vec::<String>::new());
    }
}
