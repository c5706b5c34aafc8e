//! The document itself: Classic and extensions in one.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock, OnceLock};

use forge_domain::access::{OperationNeeds, Permission};
use indexmap::IndexMap;
use jsonschema::Registry;
use serde_json::{Map, Value, json};

use super::bounds::add_bounds;
use super::finding::Schemas;
use super::operation::{Operation, operations};
use super::reading::prepare_for_reading;
use super::reference::{reference, registry, schema_name};

/// The media type of an answer that is one JSON text a line, in a JSON pointer.
const LINES: &str = "application~1x-ndjson";

/// The API's document, and each of its operations.
pub struct Contract {
    /// As it is served, if every operation is. As text, which is a twentieth of what its values take in memory.
    text: String,
    operations: IndexMap<String, Operation>,
    #[cfg(test)]
    requests: Arc<Schemas>,
    /// What answers are held against, which only tests do.
    answers: OnceLock<Answers>,
}

/// The document as values, and its schemas.
struct Answers {
    document: Value,
    registry: Registry<'static>,
}

/// Returns the contract.
pub fn contract() -> &'static Contract {
    static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::load);
    &CONTRACT
}

#[expect(
    clippy::expect_used,
    reason = "both files are part of the program, and tests read all of them"
)]
fn load_file(text: &str) -> Value {
    serde_json::from_str(text).expect("the contract's files are JSON")
}

impl Contract {
    fn load() -> Self {
        let mut document = load_file(include_str!("../classic.json"));
        let mut extensions = load_file(include_str!("../extensions.json"));
        mark_extensions(&document, &mut extensions);
        merge(&mut document, extensions);
        document["info"] = json!({"title": "Forge", "version": env!("CARGO_PKG_VERSION")});
        open_model_names(&mut document);
        add_bounds(&mut document);
        add_permissions(&mut document);
        add_idempotency_keys(&mut document);
        add_error_answers(&mut document);
        let text = document.to_string();
        let asked = without_answers(document.clone());
        let requests = Arc::new(Schemas::new(prepare_for_reading(&asked)));
        let definitions = Arc::new(asked["components"]["schemas"].clone());
        Self {
            operations: operations(&document, &definitions, &requests),
            text,
            #[cfg(test)]
            requests,
            answers: OnceLock::new(),
        }
    }

    /// Returns the schemas that requests are held against.
    #[cfg(test)]
    pub(super) fn schemas(&self) -> &Schemas {
        &self.requests
    }

    /// Returns an operation by its id.
    pub fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.get(id)
    }

    /// Returns every operation of the document, whether this version of Forge serves it or not.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.values()
    }

    /// Returns the document with only the operations of these ids and the schemas that they need.
    pub fn serving(&self, ids: &BTreeSet<&str>) -> Value {
        let mut document = load_file(&self.text);
        for item in fields_mut(&mut document["paths"]).values_mut() {
            fields_mut(item).retain(|_, operation| {
                operation["operationId"]
                    .as_str()
                    .is_some_and(|id| ids.contains(id))
            });
        }
        fields_mut(&mut document["paths"])
            .retain(|_, item| item.as_object().is_some_and(|item| !item.is_empty()));
        with_needed_schemas(document)
    }

    /// Checks an answer against the document and returns what is wrong with it: its status or its body.
    ///
    /// For tests.
    pub fn check_answer(&self, id: &str, status: u16, body: Option<&Value>) -> Vec<String> {
        let Some(operation) = self.operation(id) else {
            return vec![format!("no operation `{id}`")];
        };
        let pointer = format!("{}/responses/{status}", operation.pointer());
        let answers = self.answers.get_or_init(|| {
            let document = load_file(&self.text);
            Answers {
                registry: registry(document.clone()),
                document,
            }
        });
        let Some(answer) = answers.document.pointer(&pointer) else {
            return vec![format!("{id} does not document status {status}")];
        };
        let documents = |media: &&&str| answer.pointer(&format!("/content/{media}")).is_some();
        let media = ["application~1json", LINES].iter().find(documents);
        match (media, body) {
            (None, None) => Vec::new(),
            (None, Some(_)) => vec![format!("{id} {status} documents no body")],
            (Some(_), None) => vec![format!("{id} {status} documents a body")],
            (Some(media), Some(body)) => {
                let mut schema = reference(&format!("{pointer}/content/{media}/schema"));
                if *media == LINES {
                    // What is documented is one line.
                    schema = json!({"type": "array", "items": schema});
                }
                match jsonschema::options()
                    .with_registry(&answers.registry)
                    .build(&schema)
                {
                    Ok(validator) => validator
                        .iter_errors(body)
                        .map(|e| format!("{}: {e}", e.instance_path()))
                        .collect(),
                    Err(error) => vec![error.to_string()],
                }
            }
        }
    }
}

#[expect(
    clippy::expect_used,
    reason = "the contract's files have the form of an OpenAPI document; tests read them"
)]
fn fields_mut(value: &mut Value) -> &mut Map<String, Value> {
    value.as_object_mut().expect("an object of the OpenAPI document")
}

/// Returns a document with only the schemas that it needs.
fn with_needed_schemas(mut document: Value) -> Value {
    let needed = needed_schemas(&document);
    fields_mut(&mut document["components"]["schemas"]).retain(|name, _| needed.contains(name));
    document
}

/// Returns a document without what is answered.
fn without_answers(mut document: Value) -> Value {
    for item in fields_mut(&mut document["paths"]).values_mut() {
        for operation in fields_mut(item).values_mut() {
            fields_mut(operation).shift_remove("responses");
        }
    }
    with_needed_schemas(document)
}

/// Adds what `extra` has to `base`; where both have an object, their fields, and where both have a list, its items.
fn merge(base: &mut Value, extra: Value) {
    match (base, extra) {
        (Value::Object(base), Value::Object(extra)) => {
            for (key, value) in extra {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(base), Value::Array(extra)) => base.extend(extra),
        (base, extra) => *base = extra,
    }
}

/// Says of every operation and parameter of ours that it is no part of Classic: what is ours is never ignored.
fn mark_extensions(classic: &Value, extensions: &mut Value) {
    for (path, item) in fields_mut(&mut extensions["paths"]) {
        for (method, operation) in fields_mut(item) {
            if classic["paths"][path].get(method).is_none() {
                operation["x-extension"] = true.into();
            }
            let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
            for parameter in parameters.into_iter().flatten() {
                parameter["x-extension"] = true.into();
            }
        }
    }
}

/// Lets every POST take an `Idempotency-Key`, unless it says why not.
fn add_idempotency_keys(document: &mut Value) {
    for item in fields_mut(&mut document["paths"]).values_mut() {
        let Some(operation) = fields_mut(item).get_mut("post") else {
            continue;
        };
        if operation.get("x-not-replayed").is_some() {
            continue;
        }
        let key = json!({"name": "Idempotency-Key", "in": "header", "required": false, "x-is-read": true,
            "x-extension": true, "schema": {"type": "string", "minLength": 1, "maxLength": 255}});
        let parameters = fields_mut(operation)
            .entry("parameters")
            .or_insert_with(|| json!([]));
        if let Some(parameters) = parameters.as_array_mut()
            && !parameters.iter().any(|one| one["name"] == key["name"])
        {
            parameters.push(key);
        }
    }
}

/// Admits any text as a model's name: which models there are is data of the installation, told by `get-models`, and
/// an unknown one is refused with a 400 that says so.
fn open_model_names(document: &mut Value) {
    document["components"]["schemas"]["LLMType"] = json!({"type": "string"});
}

/// Adds which permissions operations ask for.
fn add_permissions(document: &mut Value) {
    for item in fields_mut(&mut document["paths"]).values_mut() {
        for operation in fields_mut(item).values_mut() {
            let id = operation["operationId"].as_str().unwrap_or_default();
            if let Some(needs) = OperationNeeds::of(id) {
                let names = needs.asked().into_iter().map(Permission::name);
                operation["x-permissions"] = names.collect();
            }
        }
    }
}

/// Says what a failure looks like: the contract documents the statuses, but not their bodies.
///
/// An operation that reads a body can also answer that it is too large, too slow or packed, any one of an organization
/// that the headers are too large, and any one at all that they can be understood in several ways.
fn add_error_answers(document: &mut Value) {
    for (path, item) in fields_mut(&mut document["paths"]) {
        for (method, operation) in fields_mut(item) {
            if path.starts_with("/v1/{organization}/") {
                let text = "Request Header Fields Too Large";
                operation["responses"]["431"] = json!({"description": text});
            }
            let responses = fields_mut(&mut operation["responses"]);
            responses
                .entry("400")
                .or_insert_with(|| json!({"description": "Bad Request"}));
            let is_read = operation.get("requestBody").is_some() || method != "get";
            if is_read {
                operation["responses"]["415"] = json!({"description": "Unsupported Media Type"});
                operation["responses"]["408"] = json!({"description": "Request Timeout"});
                operation["responses"]["413"] = json!({"description": "Content Too Large"});
            }
            for (status, answer) in fields_mut(&mut operation["responses"]) {
                if !status.starts_with('4') && !status.starts_with('5') || answer.get("content").is_some() {
                    continue;
                }
                let schema = if status == "422" {
                    "ForgeValidationError"
                } else {
                    "ForgeError"
                };
                let reference = json!({"$ref": format!("#/components/schemas/{schema}")});
                answer["content"] = json!({"application/json": {"schema": reference}});
            }
        }
    }
}

/// Returns the names of all schemas that the paths refer to, directly or not.
fn needed_schemas(document: &Value) -> BTreeSet<String> {
    let mut needed = BTreeSet::new();
    let mut open = vec![&document["paths"]];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) => {
                let name = fields.get("$ref").and_then(Value::as_str).and_then(schema_name);
                if let Some(name) = name.filter(|name| needed.insert((*name).to_owned())) {
                    open.push(&document["components"]["schemas"][name]);
                }
                open.extend(fields.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    needed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_both_parts_is_there() {
        // The extensions also add to operations of Classic, so those stand in both.
        let operations = |document: &Value| -> BTreeSet<(String, String)> {
            let paths = document["paths"].as_object().unwrap().iter();
            paths
                .flat_map(|(path, item)| {
                    item.as_object()
                        .unwrap()
                        .keys()
                        .map(|method| (path.clone(), method.clone()))
                })
                .collect()
        };
        let classic = operations(&load_file(include_str!("../classic.json")));
        let extensions = operations(&load_file(include_str!("../extensions.json")));
        assert_eq!(
            contract().operations().count(),
            classic.union(&extensions).count()
        );
        assert_eq!(classic.len(), 88);
    }

    #[test]
    fn what_is_ours_can_be_told_from_classic() {
        let classic = load_file(include_str!("../classic.json"));
        let extensions = load_file(include_str!("../extensions.json"));
        let classic = classic["components"]["schemas"].as_object().unwrap();
        for name in extensions["components"]["schemas"].as_object().unwrap().keys() {
            assert_ne!(
                classic.contains_key(name),
                super::super::own::is_own_schema(name),
                "{name}"
            );
        }
        let extensions = contract()
            .operations()
            .filter(|operation| operation.is_extension());
        assert_eq!(extensions.count(), contract().operations().count() - 88);
    }

    #[test]
    fn a_served_document_refers_only_to_what_it_has() {
        let document = contract().serving(&BTreeSet::from(["create-agent", "get-version-sets"]));
        assert_eq!(document["paths"].as_object().unwrap().len(), 2);
        let schemas = document["components"]["schemas"].as_object().unwrap();
        assert!(
            needed_schemas(&document)
                .iter()
                .all(|name| schemas.contains_key(name))
        );
        assert!(schemas.contains_key("VersionSet-Output") && !schemas.contains_key("ServiceInstance"));
    }

    #[test]
    fn answers_are_checked_by_status_and_body() {
        let check =
            |status, body: Option<Value>| contract().check_answer("create-agent", status, body.as_ref());
        assert_eq!(check(201, Some(json!({"id": "x"}))), Vec::<String>::new());
        assert_eq!(check(201, Some(json!({"id": 1}))).len(), 1);
        assert_eq!(check(200, Some(json!({"id": "x"}))).len(), 1);
        assert_eq!(check(409, Some(json!({"detail": "taken"}))), Vec::<String>::new());
        assert_eq!(check(409, None).len(), 1);
    }
}
