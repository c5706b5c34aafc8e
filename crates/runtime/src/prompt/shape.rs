//! What answers look like, for providers that can hold a model to it.

use serde_json::{Map, Value, json};

/// The form of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// Plain text.
    Text,
    /// JSON of this schema, which is closed: providers that only know closed schemas take it.
    Closed(Value),
    /// JSON of this schema, which admits fields that it does not name.
    Open(Value),
}

impl Shape {
    fn closed<const N: usize>(fields: [(&str, Value); N]) -> Self {
        let required: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
        let properties: Map<String, Value> = fields
            .iter()
            .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
            .collect();
        Self::Closed(
            json!({"type": "object", "properties": properties, "required": required,
            "additionalProperties": false}),
        )
    }

    /// The number of one of so many options, from 1, or 0 if none is an option too.
    pub(super) fn choice(options: usize, may_be_none: bool) -> Self {
        let numbers: Vec<usize> = (usize::from(!may_be_none)..=options).collect();
        Self::closed([("choice", json!({"type": "integer", "enum": numbers}))])
    }

    /// A list of texts.
    pub(super) fn texts(name: &str) -> Self {
        Self::closed([(name, json!({"type": "array", "items": {"type": "string"}}))])
    }

    /// A list of texts, some of which may be missing.
    pub(super) fn optional_texts(name: &str) -> Self {
        Self::closed([(
            name,
            json!({"type": "array", "items": {"type": ["string", "null"]}}),
        )])
    }

    /// A text that may be missing.
    pub(super) fn optional_text(name: &str) -> Self {
        Self::closed([(name, json!({"type": ["string", "null"]}))])
    }

    /// A value, why it is that, and the numbers of the messages that it rests on.
    pub(super) fn judgement(value: Value) -> Self {
        let numbers = json!({"type": "array", "items": {"type": "integer"}});
        Self::closed([
            ("value", value),
            ("justification", json!({"type": "string"})),
            ("messages", numbers),
        ])
    }

    /// Calls of some tools.
    pub(super) fn calls(tools: &[&str]) -> Self {
        let call = json!({"type": "object", "properties": {"tool": {"enum": tools}, "params": {"type": "object"}},
            "required": ["tool", "params"]});
        Self::Open(
            json!({"type": "object", "properties": {"calls": {"type": "array", "items": call}},
            "required": ["calls"]}),
        )
    }
}
