//! What people call the fields of services and sets, and how their values look.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The field that pins a version of the agent.
pub(crate) const AGENT: &str = "agent_version_number";
/// The field that pins a version of the context graph.
pub(crate) const CONTEXT_GRAPH: &str = "service_hierarchical_state_machine_version_number";
const MODELS: &str = "llm_model_preferences.";

/// Returns what people call a field of a set.
pub(crate) fn field(name: &str) -> String {
    match name {
        AGENT => "agent version".to_owned(),
        CONTEXT_GRAPH => "context graph version".to_owned(),
        _ => match name.strip_prefix(MODELS) {
            Some(interaction) => format!("model of {interaction}"),
            None => name.replace('_', " "),
        },
    }
}

/// Returns a pin as people see it: its number, or what it floats with.
pub(crate) fn pin(pinned: Option<i64>, resolved: Option<i64>) -> String {
    match (pinned, resolved) {
        (Some(number), _) => number.to_string(),
        (None, Some(latest)) => format!("latest ({latest})"),
        (None, None) => "latest (none yet)".to_owned(),
    }
}

/// Returns a pin as programs see it.
pub(crate) fn piped_pin(pinned: Option<i64>) -> String {
    pinned.map_or_else(|| "latest".to_owned(), |number| number.to_string())
}

/// Returns a value of a field as people see it.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(fields) => match fields.get("llm_name").and_then(Value::as_str) {
            Some(name) => model(name, fields.get("params").and_then(Value::as_object)),
            None => value.to_string(),
        },
        other => other.to_string(),
    }
}

/// Returns a preferred model in the form that `--model` takes.
pub(crate) fn model(name: &str, params: Option<&Map<String, Value>>) -> String {
    let mut text = name.to_owned();
    for (param, value) in params.into_iter().flatten() {
        // Writing to a text cannot fail.
        let _ = write!(text, ",{param}={value}");
    }
    text
}
