//! One operation: how its requests are read.

use std::sync::Arc;

use forge_domain::access::{OperationNeeds, Permission};
use forge_domain::fault::{Fault, Faults};
use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::finding::Schemas;
use super::own::{Home, Own, TERMS, Term, field_names};
use super::parameter::{Location, Parameter};
use super::reference::schema_name;
use super::schema::ReadSchema;

/// The body of an operation's requests.
pub struct Body {
    /// Whether there must be one.
    pub is_required: bool,
    pub(super) schema: ReadSchema,
}

/// An operation of the API.
pub struct Operation {
    /// Its id.
    pub id: String,
    /// Its method, in upper case.
    pub method: String,
    /// Its path, with the parameters in braces.
    pub path: String,
    /// Whether the contract asks for credentials of a user.
    pub needs_user: bool,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// Its body of JSON, if requests have one.
    pub body: Option<Body>,
    /// Whether the body of its requests is a form, whose fields its endpoint reads.
    pub is_form: bool,
    /// The permissions of which a caller needs at least one, on whatever thing, for anything to come of a request; none
    /// are listed if something else decides.
    pub permissions: Vec<Permission>,
    /// How often a user may call it in a minute; nothing means as often as they like.
    pub requests_per_minute: Option<u32>,
    /// The statuses that it documents.
    pub statuses: Vec<u16>,
    /// Why it takes no `Idempotency-Key`, of those that do not.
    pub not_replayed: Option<String>,
    pub(super) own: Own,
}

/// Creates the operations of a document; requests are validated by the `requests` form of it.
pub(super) fn operations(
    document: &Value,
    definitions: &Arc<Value>,
    requests: &Arc<Schemas>,
) -> IndexMap<String, Operation> {
    let mut operations = IndexMap::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let made = make(path, method, operation, requests, definitions);
            operations.insert(made.id.clone(), made);
        }
    }
    operations
}

fn make(
    path: &str,
    method: &str,
    operation: &Value,
    requests: &Arc<Schemas>,
    definitions: &Arc<Value>,
) -> Operation {
    let base = pointer(path, method);
    let schema =
        |schema: &Value, pointer: String| ReadSchema::new(schema.clone(), pointer, requests, definitions);
    let parameters = operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate();
    let parameters = parameters.filter_map(|(index, parameter)| {
        let location = match parameter["in"].as_str() {
            Some("path") => Location::Path,
            Some("query") => Location::Query,
            // The optional headers of Classic are accepted and not looked at; those of ours say that they are read.
            Some("header") if parameter["required"] == true || parameter["x-is-read"] == true => {
                Location::Header
            }
            _ => return None,
        };
        Some(Parameter {
            name: parameter["name"].as_str()?.to_owned(),
            location,
            is_required: parameter["required"] == true,
            is_list: parameter["schema"]["type"] == "array",
            schema: schema(&parameter["schema"], format!("{base}/parameters/{index}/schema")),
        })
    });
    let parameters: Vec<Parameter> = parameters.collect();
    let content = "/requestBody/content/application~1json/schema";
    let body = operation.pointer(content).map(|body| Body {
        is_required: operation["requestBody"]["required"] == true,
        schema: schema(body, format!("{base}{content}")),
    });
    let needs_user = operation["security"].as_array().is_none_or(|schemes| {
        schemes
            .iter()
            .any(|scheme| scheme.get("Bearer-Authorization").is_some())
    });
    let id = operation["operationId"].as_str().unwrap_or_default();
    let needs = OperationNeeds::of(id);
    Operation {
        id: id.to_owned(),
        method: method.to_uppercase(),
        path: path.to_owned(),
        needs_user,
        own: own(operation, &base, &parameters, &schema, definitions),
        parameters,
        body,
        is_form: operation
            .pointer("/requestBody/content/multipart~1form-data")
            .is_some(),
        permissions: needs.map(OperationNeeds::opening).unwrap_or_default(),
        not_replayed: operation["x-not-replayed"].as_str().map(str::to_owned),
        requests_per_minute: operation["x-requests-per-minute"]
            .as_u64()
            .and_then(|n| u32::try_from(n).ok()),
        statuses: operation["responses"]
            .as_object()
            .into_iter()
            .flat_map(|answers| answers.keys())
            .filter_map(|status| status.parse().ok())
            .collect(),
    }
}

/// Returns what of an operation is ours.
fn own(
    operation: &Value,
    base: &str,
    parameters: &[Parameter],
    schema: &dyn Fn(&Value, String) -> ReadSchema,
    definitions: &Value,
) -> Own {
    let is_extension = operation["x-extension"] == true;
    let names = |location| {
        let those = parameters.iter().filter(move |one| one.location == location);
        those.map(|one| one.name.clone()).collect::<Vec<_>>()
    };
    let mut terms = Vec::new();
    let listed = operation["parameters"].as_array().into_iter().flatten();
    for (index, parameter) in listed.enumerate() {
        let name = TERMS.into_iter().find(|term| parameter["name"] == *term);
        if let Some(name) = name.filter(|_| parameter["in"] == "query" && parameter["x-extension"] == true) {
            let pointer = format!("{base}/parameters/{index}/schema");
            let schema = schema(&parameter["schema"], pointer);
            let home = Home::Query;
            terms.push(Term { name, home, schema });
        }
    }
    let content = &operation["requestBody"]["content"];
    let json = &content["application/json"]["schema"];
    let (fields, is_open) = if json.is_object() {
        field_names(json, definitions)
    } else {
        field_names(&content["multipart/form-data"]["schema"], definitions)
    };
    if let Some(body) = json["$ref"]
        .as_str()
        .and_then(schema_name)
        .filter(|_| is_extension)
    {
        for name in TERMS {
            let property = &definitions[body]["properties"][name];
            if property.is_object() {
                let pointer = format!("/components/schemas/{body}/properties/{name}");
                let (schema, home) = (schema(property, pointer), Home::Body);
                terms.push(Term { name, home, schema });
            }
        }
    }
    Own {
        is_extension,
        terms,
        query: names(Location::Query),
        headers: names(Location::Header),
        fields,
        is_open,
    }
}

fn pointer(path: &str, method: &str) -> String {
    format!("/paths/{}/{method}", path.replace('~', "~0").replace('/', "~1"))
}

impl Operation {
    /// Returns the JSON pointer to the operation in the document.
    pub(super) fn pointer(&self) -> String {
        pointer(&self.path, &self.method.to_lowercase())
    }

    /// Returns `true` if the operation is wholly ours: then it refuses what it does not know.
    pub fn is_extension(&self) -> bool {
        self.own.is_extension
    }

    /// Returns `true` if a header means something to the operation.
    pub fn reads_header(&self, name: &str) -> bool {
        let mut headers = self
            .parameters
            .iter()
            .filter(|parameter| parameter.location == Location::Header);
        headers.any(|parameter| parameter.is_called(name))
    }

    /// Reads the parameters of one location from their texts; `texts` may name a parameter several times.
    ///
    /// Parameters that the operation does not have are ignored. Absent ones get their default, where they have one.
    pub fn read_parameters(
        &self,
        location: Location,
        texts: &[(String, String)],
    ) -> Result<Map<String, Value>, Vec<Fault>> {
        let mut values = Map::new();
        let mut faults = Faults::default();
        for parameter in self
            .parameters
            .iter()
            .filter(|parameter| parameter.location == location)
        {
            let given: Vec<&str> = texts
                .iter()
                .filter(|(name, _)| parameter.is_called(name))
                .map(|(_, text)| text.as_str())
                .collect();
            match parameter.read(&given) {
                Ok(Some(value)) => {
                    values.insert(parameter.name.clone(), value);
                }
                Ok(None) => {}
                Err(found) => {
                    let place =
                        |fault: Fault| fault.inside(parameter.name.as_str()).inside(location.as_str());
                    faults.extend(found.into_iter().map(place));
                }
            }
        }
        faults.unless_empty().map(|()| values)
    }

    /// Reads a body alone: blanks around texts are cut where the contract says so, and its schema must admit the rest.
    pub fn read_body(&self, value: Value) -> Result<Value, Vec<Fault>> {
        let Some(body) = &self.body else {
            return Ok(Value::Null);
        };
        let found = body.schema.read(value);
        found.map_err(|faults| faults.into_iter().map(|fault| fault.inside("body")).collect())
    }

    /// Makes every validator of the operation, which otherwise happens when it is first needed.
    ///
    /// For tests.
    pub fn build_validators(&self) {
        for parameter in &self.parameters {
            parameter.schema.build_validator();
        }
        if let Some(body) = &self.body {
            body.schema.build_validator();
        }
        for term in &self.own.terms {
            term.schema.build_validator();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::contract;
    use super::*;

    fn query(id: &str, texts: &[(&str, &str)]) -> Result<Map<String, Value>, Vec<String>> {
        let texts: Vec<_> = texts
            .iter()
            .map(|(n, t)| ((*n).to_owned(), (*t).to_owned()))
            .collect();
        let read = contract()
            .operation(id)
            .unwrap()
            .read_parameters(Location::Query, &texts);
        read.map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_text_that_looks_like_json_is_a_text() {
        let why = r#"{"ticket": 7}"#;
        for id in ["upsert-service-version-set", "delete-service-version-set"] {
            let read = query(id, &[("message", why)]).unwrap();
            assert_eq!(read["message"], why, "{id}");
        }
    }

    #[test]
    fn every_schema_of_the_document_has_a_validator() {
        for operation in contract().operations() {
            operation.build_validators();
        }
    }

    #[test]
    fn parameters_are_read_by_their_type_and_get_their_default() {
        let read = query(
            "get-agents",
            &[("deprecated", "true"), ("limit", "5"), ("other", "x")],
        )
        .unwrap();
        assert_eq!(
            Value::from(read),
            json!({"deprecated": true, "id": [], "limit": 5, "continuation_token": 0})
        );
        let id = "0123456789abcdef01234567";
        let read = query(
            "get-services",
            &[("id", id), ("sort_by", "+name"), ("sort_by", "-is_active")],
        )
        .unwrap();
        assert_eq!(read["id"], json!([id]));
        assert_eq!(read["sort_by"], json!(["+name", "-is_active"]));
    }

    #[test]
    fn each_wrong_parameter_is_named() {
        let faults = query(
            "get-agents",
            &[("deprecated", "perhaps"), ("limit", "21"), ("id", "x")],
        )
        .unwrap_err();
        assert_eq!(faults.len(), 3);
        assert!(faults[0].starts_with("query.deprecated: "), "{faults:?}");
        assert!(faults[1].starts_with("query.id[0]: "), "{faults:?}");
        assert!(faults[2].starts_with("query.limit: "), "{faults:?}");
        let id = "0123456789abcdef01234567";
        assert_eq!(
            query("get-agents", &[("id", id), ("id", id)]).unwrap_err().len(),
            1
        );
        assert_eq!(query("get-agents", &[("limit", "ten")]).unwrap_err().len(), 1);
        assert_eq!(query("get-services", &[("tags", "a:\0")]).unwrap_err().len(), 1);
    }

    #[test]
    fn a_parameter_with_fields_is_read_as_json() {
        let read = |config: &str| {
            let formats = [("request_format", "voice"), ("response_format", "text")];
            let all = [formats[0], formats[1], ("request_audio_config", config)];
            query("interact-with-conversation", &all)
        };
        assert_eq!(
            read(r#"{"type": "mp3"}"#).unwrap()["request_audio_config"],
            json!({"type": "mp3"})
        );
        for wrong in ["mp3", "{", r#"{"type": "wav"}"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_required_header_must_be_there() {
        let operation = contract().operation("sign-in-with-api-key").unwrap();
        assert!(!operation.needs_user);
        let faults = operation.read_parameters(Location::Header, &[]).unwrap_err();
        let names: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(names.len(), 3);
        assert_eq!(names[0], "header.x-api-key: this parameter is required");
    }
}
