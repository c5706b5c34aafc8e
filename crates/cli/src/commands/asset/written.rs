//! Contents of versions that people write: checked by the contract and by the rules, and for fields that no version has.

use forge_client::answers::Finding;
use forge_domain::agent::AgentChange;
use forge_domain::asset::AssetKind;
use forge_domain::context_graph::{ContextGraphDocument, rules};
use forge_domain::fault::Fault;
use serde_json::{Map, Value, json};

use crate::assets::{Content, without_list_fields};
use crate::body::read_body;
use crate::finder::did_you_mean;
use crate::likeness::alike;

/// What is to become a version.
pub(crate) struct Written {
    /// What is sent.
    pub(crate) sent: Value,
    /// The content that the version gets.
    pub(crate) document: Map<String, Value>,
    /// Fields of the file that no version has.
    pub(crate) unknown: Vec<Unknown>,
}

/// A field that no version has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    /// Where it is: names and places in lists, with dots between.
    path: String,
    /// The fields beside it that are like it.
    alike: Vec<String>,
}

/// Checks a document by the contract and by the rules, as far as they need nothing of the server.
pub(crate) fn checked(
    kind: AssetKind,
    mut file: Map<String, Value>,
    latest: Option<&Content>,
) -> Result<Written, Vec<String>> {
    without_list_fields(&mut file);
    let operation = match kind {
        AssetKind::Agent => "create-agent-version",
        AssetKind::ContextGraph => "create-service-hierarchical-state-machine-version",
    };
    let body = read_body(operation, Value::Object(file))?;
    let content = match kind {
        AssetKind::Agent => agent_content(&body, latest)?,
        AssetKind::ContextGraph => graph_content(&body)?,
    };
    let (Value::Object(document), Value::Object(mut sent)) = (content, body) else {
        return Err(vec!["it is no JSON object".to_owned()]);
    };
    let mut unknown = Vec::new();
    unknown_in(&sent, &document, "", &mut unknown);
    sent.retain(|name, _| document.contains_key(name));
    if sent.is_empty() {
        let fields: Vec<String> = unknown.iter().map(|field| format!("`{}`", field.path)).collect();
        return Err(vec![match fields.as_slice() {
            [] => "it has no field".to_owned(),
            fields => format!("a version has none of its fields: {}", fields.join(", ")),
        }]);
    }
    Ok(Written {
        sent: Value::Object(sent),
        document,
        unknown,
    })
}

/// Adds the fields of an object that are not among what is kept of it.
fn unknown_in(sent: &Map<String, Value>, kept: &Map<String, Value>, path: &str, unknown: &mut Vec<Unknown>) {
    for (name, value) in sent {
        let path = format!("{path}{name}");
        match kept.get(name) {
            Some(kept) => unknown_within(value, kept, &path, unknown),
            None => unknown.push(Unknown {
                path,
                alike: alike(name, kept.keys().map(String::as_str))
                    .into_iter()
                    .map(str::to_owned)
                    .collect(),
            }),
        }
    }
}

fn unknown_within(sent: &Value, kept: &Value, path: &str, unknown: &mut Vec<Unknown>) {
    match (sent, kept) {
        (Value::Object(sent), Value::Object(kept)) => unknown_in(sent, kept, &format!("{path}."), unknown),
        (Value::Array(sent), Value::Array(kept)) => {
            for (index, (sent, kept)) in sent.iter().zip(kept).enumerate() {
                unknown_within(sent, kept, &format!("{path}.{index}"), unknown);
            }
        }
        _ => {}
    }
}

fn agent_content(body: &Value, latest: Option<&Content>) -> Result<Value, Vec<String>> {
    let text = |error: serde_json::Error| vec![error.to_string()];
    let change: AgentChange = serde_json::from_value(body.clone()).map_err(text)?;
    let latest = latest.map(|latest| serde_json::from_value(Value::Object(latest.document.clone())));
    let document = change.apply(latest.transpose().map_err(text)?);
    Ok(json!(document.map_err(|error| vec![error.to_string()])?))
}

fn graph_content(body: &Value) -> Result<Value, Vec<String>> {
    let graph: ContextGraphDocument =
        serde_json::from_value(body.clone()).map_err(|error| vec![error.to_string()])?;
    let faults = rules::check(&graph);
    if faults.is_empty() {
        return Ok(json!(graph));
    }
    Err(faults.iter().map(Fault::to_string).collect())
}

/// Returns the finding that a version has no such field.
pub(crate) fn unknown_field(unknown: &Unknown) -> Finding {
    Finding {
        code: "unknown_field".to_owned(),
        message: format!("a version has no field `{}`", unknown.path),
        hint: Some(match unknown.alike.as_slice() {
            [] => "leave it out".to_owned(),
            alike => did_you_mean(alike),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_no_version_has_are_found_wherever_they_are() {
        let found = |sent: Value, kept: Value| {
            let mut unknown = Vec::new();
            unknown_within(&sent, &kept, "file", &mut unknown);
            let text = |field: &Unknown| format!("{} {}", field.path, field.alike.join(","));
            unknown.iter().map(text).collect::<Vec<_>>()
        };
        let kept = json!({"identity": {"name": "Mira", "role": null}, "states": {"a": {"actions": [{"type": "x"}]}}});
        assert!(found(kept.clone(), kept.clone()).is_empty());
        assert!(found(json!({"identity": {"name": " Mira "}}), kept.clone()).is_empty());
        let sent =
            json!({"identity": {"nmae": "Mira"}, "states": {"a": {"actions": [{"typo": 1}]}}, "x": {"y": 1}});
        let expected = [
            "file.identity.nmae name",
            "file.states.a.actions.0.typo type",
            "file.x ",
        ];
        assert_eq!(found(sent, kept), expected);
    }

    #[test]
    fn the_examples_have_no_field_that_no_version_has() {
        let read = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
        for (kind, text) in [
            (
                AssetKind::Agent,
                include_str!("../../../../../examples/agent/v1.json"),
            ),
            (
                AssetKind::ContextGraph,
                include_str!("../../../../../examples/context_graph/v1.json"),
            ),
        ] {
            let pushed = checked(kind, read(text), None).unwrap();
            assert_eq!(pushed.unknown, []);
        }
    }
}
