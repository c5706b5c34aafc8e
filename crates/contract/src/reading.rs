//! Reading values by a schema: cutting blanks, and telling exactly what is wrong.

use forge_domain::fault::{Fault, Faults, Step};
use forge_domain::shortened;
use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::LocationSegment;
use serde_json::{Map, Value, json};

use super::reference::schema_name;

/// Returns the document with its alternatives rewritten so that a validator finds the one fault that matters.
///
/// Of a value that fits none of several alternatives, a validator can only say that. But where a discriminator, the
/// value's type or its being null decides which alternative is meant, `if`/`then`/`else` says the same and leads to
/// the fault inside it.
pub(super) fn prepare_for_reading(document: &Value) -> Value {
    match document {
        Value::Object(fields) => {
            let prepared = |(key, value): (&String, &Value)| match value {
                Value::String(pattern) if key == "pattern" => (key.clone(), unicode_words(pattern).into()),
                other => (key.clone(), prepare_for_reading(other)),
            };
            let fields: Map<String, Value> = fields.iter().map(prepared).collect();
            decided(&fields).unwrap_or(Value::Object(fields))
        }
        Value::Array(items) => items.iter().map(prepare_for_reading).collect(),
        scalar => scalar.clone(),
    }
}

/// Returns a pattern in which `\w` is a letter of any script, as it is where the contract comes from; in the dialect
/// of JSON Schema it would be an ASCII one.
fn unicode_words(pattern: &str) -> String {
    const WORD: &str = r"\p{L}\p{M}\p{N}_";
    pattern
        .replace(r"[\w", &format!("[{WORD}"))
        .replace(r"^\w", &format!("^[{WORD}]"))
}

/// Returns a schema that decides between the alternatives of another, if that one says how.
fn decided(schema: &Map<String, Value>) -> Option<Value> {
    if let Some(mapping) = schema.get("discriminator").and_then(|d| d["mapping"].as_object()) {
        let property = schema["discriminator"]["propertyName"].as_str()?;
        let names: Vec<&String> = mapping.keys().collect();
        let branch = |(name, reference): (&String, &Value)| {
            json!({
                "if": {"properties": {property: {"const": name}}, "required": [property]},
                "then": {"$ref": reference},
            })
        };
        return Some(json!({
            "type": "object",
            "properties": {property: {"enum": names}},
            "required": [property],
            "allOf": mapping.iter().map(branch).collect::<Vec<_>>(),
        }));
    }
    match schema.get("anyOf")?.as_array()?.as_slice() {
        [value, null] if null["type"] == "null" => Some(json!({"if": {"type": "null"}, "else": value})),
        [text, list] if list["type"] == "array" => {
            Some(json!({"if": {"type": "array"}, "then": list, "else": text}))
        }
        _ => None,
    }
}

/// Brings a value into the form in which it is validated and stored: blanks around texts are cut where the contract
/// calls them stripped, and whole numbers are integers.
///
/// Returns what cannot be brought into that form.
pub(super) fn normalise(value: &mut Value, schema: &Value, definitions: &Value) -> Faults {
    let mut normaliser = Normaliser {
        definitions,
        place: Vec::new(),
        faults: Faults::default(),
    };
    normaliser.value(value, schema);
    normaliser.faults
}

struct Normaliser<'d> {
    definitions: &'d Value,
    place: Vec<Step>,
    faults: Faults,
}

impl Normaliser<'_> {
    fn fault(&mut self, kind: &'static str, msg: String) {
        // Several alternatives of a schema may look at the same value, so a fault may be known.
        self.faults.push(Fault::new(self.place.clone(), kind, msg));
    }

    fn value(&mut self, value: &mut Value, schema: &Value) {
        if self.faults.is_full() {
            // The value is refused, whatever else is in it.
            return;
        }
        if let Some(name) = schema["$ref"].as_str().and_then(schema_name) {
            if name.contains("Stripped")
                && let Value::String(text) = value
            {
                let stripped = text.trim();
                if stripped.len() != text.len() {
                    *text = stripped.to_owned();
                }
            }
            return self.value(value, &self.definitions[name]);
        }
        for alternative in schema["anyOf"].as_array().into_iter().flatten() {
            self.value(value, alternative);
        }
        if let Some(mapping) = schema["discriminator"]["mapping"].as_object() {
            let property = schema["discriminator"]["propertyName"]
                .as_str()
                .unwrap_or_default();
            let chosen = value[property]
                .as_str()
                .and_then(|chosen| mapping.get(chosen))
                .cloned();
            if let Some(reference) = chosen {
                return self.value(value, &json!({"$ref": reference}));
            }
        }
        match value {
            Value::Object(fields) => self.fields(fields, schema),
            // What is in a list that is too long is not looked at: the list is refused.
            Value::Array(items)
                if schema["maxItems"]
                    .as_u64()
                    .is_some_and(|most| items.len() as u64 > most) => {}
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    let schema = schema["prefixItems"].get(index).unwrap_or(&schema["items"]);
                    self.place.push(index.into());
                    self.value(item, schema);
                    self.place.pop();
                }
            }
            Value::Number(number) if schema["type"] == "integer" && !number.is_i64() => match whole(number) {
                Some(whole) => *value = whole.into(),
                None if number.as_f64().is_some_and(|number| number.fract() == 0.0) => {
                    self.fault("int_range", "the number is out of range".to_owned());
                }
                None => {}
            },
            _ => {}
        }
    }

    fn fields(&mut self, fields: &mut Map<String, Value>, schema: &Value) {
        let names = &schema["propertyNames"];
        if names.is_object() && fields.keys().any(|key| key.trim().len() != key.len()) {
            for (key, value) in std::mem::take(fields) {
                let mut name = Value::from(key);
                self.value(&mut name, names);
                let name = name.as_str().unwrap_or_default().to_owned();
                if fields.contains_key(&name) && !self.faults.is_full() {
                    self.fault(
                        "duplicate_key",
                        format!("the key `{}` occurs twice, blanks aside", shortened(&name)),
                    );
                }
                fields.insert(name, value);
            }
        }
        for (key, value) in fields.iter_mut() {
            let schema = schema["properties"]
                .get(key)
                .unwrap_or(&schema["additionalProperties"]);
            if schema.is_object() {
                self.place.push(key.as_str().into());
                self.value(value, schema);
                self.place.pop();
            }
        }
    }
}

/// Returns a number such as 3.0, which is an integer in JSON Schema, as one; up to 2^53 they keep their value.
fn whole(number: &serde_json::Number) -> Option<i64> {
    let float = number
        .as_f64()
        .filter(|n| n.fract() == 0.0 && n.abs() <= 9_007_199_254_740_992.0)?;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
    Some(float as i64)
}

/// Returns an error of a validator as a fault.
pub(super) fn fault(error: &ValidationError<'_>) -> Fault {
    let mut loc: Vec<Step> = error
        .instance_path()
        .iter()
        .map(|segment| match segment {
            LocationSegment::Property(name) => Step::Field(name.into_owned()),
            LocationSegment::Index(index) => Step::Index(index),
        })
        .collect();
    let (kind, msg) = match error.kind() {
        ValidationErrorKind::Required { property } => {
            loc.push(property.as_str().unwrap_or_default().into());
            ("missing", "this field is required".to_owned())
        }
        ValidationErrorKind::Type { kind } => ("type", format!("expected {}", expected(kind))),
        ValidationErrorKind::MinLength { limit: 1 } => ("string_too_short", "the text is empty".to_owned()),
        ValidationErrorKind::MinLength { limit } => (
            "string_too_short",
            format!("the text has fewer than {limit} characters"),
        ),
        ValidationErrorKind::MaxLength { limit } => (
            "string_too_long",
            format!("the text has more than {limit} characters"),
        ),
        ValidationErrorKind::Pattern { pattern } => (
            "string_pattern_mismatch",
            format!("the text does not match `{pattern}`"),
        ),
        ValidationErrorKind::Enum { options } => ("enum", one_of(options)),
        ValidationErrorKind::Constant { expected_value } => ("enum", format!("expected {expected_value}")),
        ValidationErrorKind::Minimum { limit } => ("greater_than_equal", format!("must be at least {limit}")),
        ValidationErrorKind::ExclusiveMinimum { limit } => ("greater_than", format!("must be above {limit}")),
        ValidationErrorKind::Maximum { limit } => ("less_than_equal", format!("must be at most {limit}")),
        ValidationErrorKind::ExclusiveMaximum { limit } => ("less_than", format!("must be below {limit}")),
        ValidationErrorKind::MinItems { limit } => ("too_short", format!("must have at least {limit} items")),
        ValidationErrorKind::MaxItems { limit } | ValidationErrorKind::MaxProperties { limit } => {
            ("too_long", format!("must have at most {limit} items"))
        }
        ValidationErrorKind::UniqueItems => ("unique", "an item occurs twice".to_owned()),
        ValidationErrorKind::PropertyNames { error } => {
            let inner = fault(error);
            let name = error.instance().as_str().unwrap_or_default();
            (
                inner.kind,
                format!("the key `{}`: {}", shortened(name), inner.msg),
            )
        }
        ValidationErrorKind::Format { format } => ("format", format!("expected the format `{format}`")),
        ValidationErrorKind::Custom { message, .. } => ("too_long", message.clone()),
        other => ("invalid", format!("breaks the rule `{}`", other.keyword())),
    };
    Fault::new(loc, kind, msg)
}

fn expected(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => format!("{} `{one}`", article(&one.to_string())),
        TypeKind::Multiple(several) => several
            .into_iter()
            .map(|one| format!("`{one}`"))
            .collect::<Vec<_>>()
            .join(" or "),
    }
}

/// Returns what was expected in place of a value that is not of a schema's type.
pub(super) fn expected_type(schema: &Value, value: &Value) -> Option<String> {
    let names: Vec<&str> = match schema {
        Value::String(name) => vec![name],
        several => several.as_array()?.iter().filter_map(Value::as_str).collect(),
    };
    let actual = match value {
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        _ => return None,
    };
    if names.contains(&actual) {
        return None;
    }
    Some(match names[..] {
        [one] => format!("{} `{one}`", article(one)),
        _ => names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(" or "),
    })
}

fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    }
}

/// How many allowed values an error lists; of more, such as all languages, it says only how many there are.
const LISTED_OPTIONS: usize = 30;

pub(super) fn one_of(options: &Value) -> String {
    let options = options.as_array().map_or(&[][..], Vec::as_slice);
    if options.len() > LISTED_OPTIONS {
        return format!("not one of the {} allowed values", options.len());
    }
    format!(
        "expected one of {}",
        options
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::super::contract;
    use super::*;

    fn read(id: &str, body: Value) -> Result<Value, Vec<String>> {
        let read = contract().operation(id).unwrap().read_body(body);
        read.map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn blanks_around_texts_are_cut_before_they_are_checked() {
        assert_eq!(
            read("create-agent", json!({"agent_name": " Mira\n"})),
            Ok(json!({"agent_name": "Mira"}))
        );
        assert_eq!(
            read("create-agent", json!({"agent_name": " \t"})),
            Err(vec!["body.agent_name: the text is empty".to_owned()])
        );
        let long = "a".repeat(256);
        assert!(read("create-agent", json!({"agent_name": format!(" {long} ")})).is_ok());
        assert!(read("create-agent", json!({"agent_name": format!("{long}a")})).is_err());
    }

    #[test]
    fn what_is_missing_and_what_has_the_wrong_type_is_named() {
        assert_eq!(
            read("create-agent", json!({})),
            Err(vec!["body.agent_name: this field is required".to_owned()])
        );
        assert_eq!(
            read("create-agent", json!({"agent_name": 3})),
            Err(vec!["body.agent_name: expected a `string`".to_owned()])
        );
        assert_eq!(
            read("create-agent", json!([])),
            Err(vec!["body: expected an `object`".to_owned()])
        );
    }

    #[test]
    fn faults_inside_alternatives_are_found() {
        let mut graph: Value =
            serde_json::from_str(include_str!("../../../examples/context_graph/v1.json")).unwrap();
        let id = "create-service-hierarchical-state-machine-version";
        assert!(read(id, graph.clone()).is_ok());
        graph["states"][0]["type"] = json!("dance");
        let faults = read(id, graph.clone()).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(
            faults[0].starts_with("body.states[0].type: expected one of"),
            "{faults:?}"
        );
        graph["states"][0]["type"] = json!("action");
        graph["states"][0]["objective"] = json!(7);
        graph["states"][0]["exit_conditions"] = json!([{"description": "d", "next_state": ["nodot", "x"]}]);
        let faults = read(id, graph).unwrap_err();
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(
            faults
                .iter()
                .any(|fault| fault == "body.states[0].objective: expected a `string`"),
            "{faults:?}"
        );
        assert!(
            faults
                .iter()
                .any(|fault| fault.starts_with("body.states[0].exit_conditions[0].next_state[0]: "))
        );
    }

    #[test]
    fn null_is_kept_apart_from_absent_and_whole_numbers_are_integers() {
        let set = json!({"version_set": {"agent_version_number": 3.0,
            "service_hierarchical_state_machine_version_number": null, "llm_model_preferences": {}}});
        let body = read("upsert-service-version-set", set).unwrap();
        assert_eq!(body["version_set"]["agent_version_number"].as_i64(), Some(3));
        let set = json!({"version_set": {"agent_version_number": 1.5, "llm_model_preferences": {}}});
        assert_eq!(read("upsert-service-version-set", set).unwrap_err().len(), 2);
    }

    #[test]
    fn a_number_that_no_integer_can_hold_is_named() {
        for number in ["1e30", "18446744073709551615", "-1e19"] {
            let set = format!(
                r#"{{"version_set": {{"agent_version_number": {number}, "llm_model_preferences": {{}},
                "service_hierarchical_state_machine_version_number": null}}}}"#
            );
            let faults = read("upsert-service-version-set", serde_json::from_str(&set).unwrap()).unwrap_err();
            assert_eq!(
                faults,
                ["body.version_set.agent_version_number: the number is out of range"],
                "{number}"
            );
        }
    }

    #[test]
    fn keys_of_tags_follow_their_pattern() {
        let body = |tags: Value| {
            json!({"service_hierarchical_state_machine_id": "0123456789abcdef01234567",
                "agent_id": "0123456789abcdef01234567", "name": "n", "description": "d", "is_active": true,
                "keyterms": [], "tags": tags})
        };
        assert_eq!(
            read("create-service", body(json!({" a ": " b "}))).unwrap()["tags"],
            json!({"a": "b"})
        );
        assert!(read("create-service", body(json!({"équipe": null}))).is_ok());
        let faults = read("create-service", body(json!({"a": "1", " a ": "2"}))).unwrap_err();
        assert_eq!(faults, ["body.tags: the key `a` occurs twice, blanks aside"]);
        let faults = read("create-service", body(json!({"a:b": null}))).unwrap_err();
        assert!(faults[0].starts_with("body.tags: the key `a:b`"), "{faults:?}");
    }
}
