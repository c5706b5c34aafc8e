//! Finding what is wrong with a value, as far as it is told.
//!
//! A validator can only list all errors of a value, and whoever sends one can see to it that there are millions. So
//! faults are looked for from the outside in, each part of the value is held against its own part of the schema, and
//! the search ends when there are enough. It takes time in proportion to the value.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use forge_domain::fault::{Fault, Faults, Step};
use forge_domain::shortened;
use forge_domain::size::is_within;
use jsonschema::{Keyword, Registry, ValidationError, Validator};
use serde_json::{Map, Value};

use super::bounds::{MAX_BYTES, too_large};
use super::reading::{expected_type, fault, one_of};
use super::reference::{reference, registry, schema_name};

/// A document whose schemas values are held against.
pub(super) struct Schemas {
    document: Value,
    registry: Registry<'static>,
    /// By JSON pointer; each is made when it is first needed.
    validators: RwLock<HashMap<String, Arc<Validator>>>,
}

impl Schemas {
    pub(super) fn new(document: Value) -> Self {
        Self {
            registry: registry(document.clone()),
            document,
            validators: RwLock::default(),
        }
    }

    /// Returns the validator of the schema at a place of the document.
    #[expect(
        clippy::expect_used,
        reason = "a test builds the validator of every schema of the document"
    )]
    pub(super) fn validator(&self, pointer: &str) -> Arc<Validator> {
        let known = self.validators.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = known.get(pointer) {
            return Arc::clone(validator);
        }
        drop(known);
        let validator = jsonschema::options()
            .with_registry(&self.registry)
            .should_validate_formats(true)
            .with_keyword(MAX_BYTES, |_, most, _| {
                Ok(Box::new(MostBytes(most.as_u64().unwrap_or_default())))
            })
            .build(&reference(pointer))
            .expect("the contract's schemas are sound");
        let validator = Arc::new(validator);
        let mut known = self.validators.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(pointer.to_owned()).or_insert(validator))
    }

    /// Adds what is wrong with a value by the schema at a place of the document.
    pub(super) fn find_faults(&self, pointer: &str, value: &Value, faults: &mut Faults) {
        let validator = self.validator(pointer);
        // Most values are valid, and to find out no more than that is much cheaper.
        if validator.is_valid(value) {
            return;
        }
        let mut finder = Finder {
            schemas: self,
            place: Vec::new(),
            faults,
            has_found: false,
        };
        finder.find(pointer, value);
        if !finder.has_found
            && let Err(error) = validator.validate(value)
        {
            finder.add(fault(&error));
        }
    }
}

/// Refuses values that are larger than so many bytes as JSON.
struct MostBytes(u64);

impl<'i> Keyword<'i> for MostBytes {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) {
            return Ok(());
        }
        Err(ValidationError::custom(too_large(self.0)))
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        is_within(instance, self.0)
    }
}

struct Finder<'s, 'f> {
    schemas: &'s Schemas,
    place: Vec<Step>,
    faults: &'f mut Faults,
    has_found: bool,
}

impl Finder<'_, '_> {
    /// Adds a fault of the value at the present place, or of something inside it.
    fn add(&mut self, mut fault: Fault) {
        self.has_found = true;
        let inside = std::mem::replace(&mut fault.loc, self.place.clone());
        fault.loc.extend(inside);
        self.faults.push(fault);
    }

    fn add_here(&mut self, kind: &'static str, msg: String) {
        self.add(Fault::new(Vec::new(), kind, msg));
    }

    /// Looks for faults of a value by the schema at a place of the document.
    fn find(&mut self, pointer: &str, value: &Value) {
        let schemas = self.schemas;
        let Some(Value::Object(schema)) = schemas.document.pointer(pointer) else {
            return;
        };
        if !matches!(value, Value::Array(_) | Value::Object(_)) {
            // A value without parts has few faults.
            for error in schemas.validator(pointer).iter_errors(value) {
                self.add(fault(&error));
            }
            return;
        }
        if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(schema_name) {
            self.find(&format!("/components/schemas/{}", escaped(name)), value);
        }
        if let Some(expected) = schema.get("type").and_then(|kind| expected_type(kind, value)) {
            self.add_here("type", format!("expected {expected}"));
            return;
        }
        if let Some(options) = schema.get("enum").filter(|options| !has(options, value)) {
            self.add_here("enum", one_of(options));
        }
        let most = schema.get(MAX_BYTES).and_then(Value::as_u64);
        if let Some(most) = most.filter(|most| !is_within(value, *most)) {
            // What is in a value that is too large anyway need not be looked at.
            self.add_here("too_long", too_large(most));
            return;
        }
        match value {
            Value::Array(items) => self.items(pointer, schema, items),
            Value::Object(fields) => self.fields(pointer, schema, fields),
            _ => {}
        }
        self.combined(pointer, schema, value);
    }

    /// Looks for faults by the schemas that another one is made of.
    fn combined(&mut self, pointer: &str, schema: &Map<String, Value>, value: &Value) {
        for index in 0..count(schema, "allOf") {
            self.find(&format!("{pointer}/allOf/{index}"), value);
        }
        for keyword in ["anyOf", "oneOf"] {
            let all = 0..count(schema, keyword);
            let admits = |index| {
                let validator = self.schemas.validator(&format!("{pointer}/{keyword}/{index}"));
                validator.is_valid(value)
            };
            let admitting = all.clone().filter(|index| admits(*index)).count();
            if !all.is_empty() && (admitting == 0 || keyword == "oneOf" && admitting > 1) {
                self.add_here("invalid", format!("breaks the rule `{keyword}`"));
            }
        }
        if schema.contains_key("if") {
            let condition = self.schemas.validator(&format!("{pointer}/if"));
            let branch = if condition.is_valid(value) { "then" } else { "else" };
            self.find(&format!("{pointer}/{branch}"), value);
        }
    }

    fn items(&mut self, pointer: &str, schema: &Map<String, Value>, items: &[Value]) {
        if let Some(limit) = beyond(schema, "maxItems", |limit| items.len() > limit) {
            // What is in a list that is too long anyway need not be looked at.
            self.add_here("too_long", format!("must have at most {limit} items"));
            return;
        }
        if let Some(limit) = beyond(schema, "minItems", |limit| items.len() < limit) {
            self.add_here("too_short", format!("must have at least {limit} items"));
        }
        if schema.get("uniqueItems") == Some(&Value::Bool(true)) {
            let mut seen = HashSet::new();
            if !items.iter().all(|item| seen.insert(item)) {
                self.add_here("unique", "an item occurs twice".to_owned());
            }
        }
        let fixed = count(schema, "prefixItems");
        for (index, item) in items.iter().take(fixed).enumerate() {
            self.part(&format!("{pointer}/prefixItems/{index}"), index.into(), item);
        }
        if schema.contains_key("items") {
            let pointer = format!("{pointer}/items");
            let validator = self.schemas.validator(&pointer);
            for (index, item) in items.iter().enumerate().skip(fixed) {
                if self.faults.is_full() {
                    return;
                }
                if !validator.is_valid(item) {
                    self.inside(&pointer, index.into(), item);
                }
            }
        }
    }

    fn fields(&mut self, pointer: &str, schema: &Map<String, Value>, fields: &Map<String, Value>) {
        for name in schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let name = name.as_str().unwrap_or_default();
            if !fields.contains_key(name) {
                let loc = vec![name.into()];
                self.add(Fault::new(loc, "missing", "this field is required"));
            }
        }
        if let Some(limit) = beyond(schema, "maxProperties", |limit| fields.len() > limit) {
            self.add_here("too_long", format!("must have at most {limit} items"));
            return;
        }
        if schema.contains_key("propertyNames") {
            let validator = self.schemas.validator(&format!("{pointer}/propertyNames"));
            for name in fields.keys() {
                if self.faults.is_full() {
                    return;
                }
                let key = Value::from(name.as_str());
                if let Err(error) = validator.validate(&key) {
                    let inner = fault(&error);
                    self.add_here(
                        inner.kind,
                        format!("the key `{}`: {}", shortened(name), inner.msg),
                    );
                }
            }
        }
        let known = schema.get("properties").and_then(Value::as_object);
        for (name, value) in fields {
            if self.faults.is_full() {
                return;
            }
            if known.is_some_and(|known| known.contains_key(name)) {
                let pointer = format!("{pointer}/properties/{}", escaped(name));
                self.part(&pointer, name.as_str().into(), value);
            } else if schema.contains_key("additionalProperties") {
                self.part(
                    &format!("{pointer}/additionalProperties"),
                    name.as_str().into(),
                    value,
                );
            }
        }
    }

    /// Looks for faults of a part of the present value.
    fn part(&mut self, pointer: &str, step: Step, value: &Value) {
        if !self.schemas.validator(pointer).is_valid(value) {
            self.inside(pointer, step, value);
        }
    }

    fn inside(&mut self, pointer: &str, step: Step, value: &Value) {
        self.place.push(step);
        let found_before = std::mem::take(&mut self.has_found);
        self.find(pointer, value);
        if !self.has_found
            && let Err(error) = self.schemas.validator(pointer).validate(value)
        {
            self.add(fault(&error));
        }
        self.has_found |= found_before;
        self.place.pop();
    }
}

/// Returns a name as a step of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Returns how many schemas a keyword lists.
fn count(schema: &Map<String, Value>, keyword: &str) -> usize {
    schema.get(keyword).and_then(Value::as_array).map_or(0, Vec::len)
}

/// Returns a limit of the schema, if the value is beyond it.
fn beyond(schema: &Map<String, Value>, keyword: &str, is_beyond: impl Fn(usize) -> bool) -> Option<usize> {
    let limit = usize::try_from(schema.get(keyword)?.as_u64()?).ok()?;
    is_beyond(limit).then_some(limit)
}

fn has(options: &Value, value: &Value) -> bool {
    options.as_array().is_some_and(|options| options.contains(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::contract;
    use super::*;

    fn faults(id: &str, body: Value) -> Vec<String> {
        let read = contract().operation(id).unwrap().read_body(body);
        read.unwrap_err().iter().map(ToString::to_string).collect()
    }

    fn service(field: &str, value: &Value) -> Value {
        let mut body = json!({"service_hierarchical_state_machine_id": "0123456789abcdef01234567",
            "agent_id": "0123456789abcdef01234567", "name": "n", "description": "d", "is_active": true,
            "keyterms": [], "tags": {}});
        body[field] = value.clone();
        body
    }

    const MORE: &str = "body: there are more faults than these 50; correct them to see the rest";

    fn metric(services: Vec<Value>) -> Value {
        json!({"name": "n", "applied_to_services": services, "additional_notes": null, "tags": {},
            "initial_version_metric_value": {"description": "d", "metric_value": {"type": "boolean"}}})
    }

    #[test]
    fn of_very_many_faults_fifty_are_told_and_that_there_are_more() {
        let told = faults("create-metric", metric(vec![json!([]); 10_000]));
        assert_eq!(told.len(), 51);
        assert_eq!(told[0], "body.applied_to_services[0]: expected a `string`");
        assert_eq!(told[49], "body.applied_to_services[49]: expected a `string`");
        assert_eq!(told[50], MORE);
    }

    #[test]
    fn a_fault_behind_very_many_sound_values_is_found() {
        let mut many = vec![json!("0123456789abcdef01234567"); 9_999];
        many.push(json!(7));
        assert_eq!(
            faults("create-metric", metric(many)),
            ["body.applied_to_services[9999]: expected a `string`"]
        );
    }

    #[test]
    fn keys_that_occur_twice_blanks_aside_are_told_fifty_times() {
        let tags: Map<String, Value> = (0..200_000)
            .flat_map(|number| [(number.to_string(), 0.into()), (format!("{number} "), 0.into())])
            .collect();
        let told = faults("create-service", service("tags", &tags.into()));
        assert_eq!(told.len(), 51);
        assert!(told[0].contains("occurs twice"), "{}", told[0]);
    }

    #[test]
    fn a_list_that_is_too_long_is_not_looked_into() {
        let ids = vec![json!("no id"); 11];
        let body = json!({"metric_ids": ids, "conversation_id": "0123456789abcdef01234567"});
        assert_eq!(
            faults("evaluate-metrics", body),
            ["body.metric_ids: must have at most 10 items"]
        );
    }

    #[test]
    fn what_is_not_valid_has_a_fault_in_every_part_of_the_contract() {
        // Whatever a validator refuses, the search finds a reason for.
        let bad = [
            json!(null),
            json!(7),
            json!("x"),
            json!([]),
            json!([7]),
            json!({}),
            json!({"a": 7}),
        ];
        for operation in contract().operations() {
            for value in &bad {
                if let Err(told) = operation.read_body(value.clone()) {
                    assert!(!told.is_empty(), "{} {value}", operation.id);
                }
            }
        }
    }

    /// The keywords that the search knows; whatever has no parts is left to the validators.
    const KNOWN: [&str; 30] = [
        "$ref",
        "additionalProperties",
        "allOf",
        "anyOf",
        "const",
        "default",
        "deprecated",
        "discriminator",
        "else",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "if",
        "items",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minimum",
        "oneOf",
        "pattern",
        "prefixItems",
        "properties",
        "propertyNames",
        "required",
        "then",
        "x-max-bytes",
    ];

    fn keywords(schema: &Value, found: &mut HashSet<String>) {
        let Value::Object(fields) = schema else {
            schema
                .as_array()
                .into_iter()
                .flatten()
                .for_each(|one| keywords(one, found));
            return;
        };
        for (keyword, inner) in fields {
            found.insert(keyword.clone());
            match keyword.as_str() {
                "properties" => inner
                    .as_object()
                    .unwrap()
                    .values()
                    .for_each(|one| keywords(one, found)),
                "enum" | "const" | "default" | "discriminator" | "required" => {}
                _ => keywords(inner, found),
            }
        }
    }

    #[test]
    fn the_contract_uses_no_keyword_that_the_search_does_not_know() {
        let mut found = HashSet::new();
        let schemas = contract().schemas();
        for schema in schemas.document["components"]["schemas"]
            .as_object()
            .unwrap()
            .values()
        {
            keywords(schema, &mut found);
        }
        let known: HashSet<String> = KNOWN
            .iter()
            .chain(&["type", "uniqueItems"])
            .map(|k| (*k).to_owned())
            .collect();
        let unknown: Vec<_> = found
            .difference(&known)
            .filter(|name| *name != "description")
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
