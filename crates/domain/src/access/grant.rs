//! Grants: a permission, narrowed by conditions.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::name;

/// A permission, and the conditions under which it is given; none means always.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// The permission's name, such as `Service:UpdateVersionSet`.
    pub permission_name: String,
    /// A condition by attribute; all must hold.
    pub conditions: IndexMap<String, Condition>,
}

/// A condition on one attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Condition {
    /// The attribute has this value.
    Equals {
        /// The value.
        value: Value,
    },
    /// The attribute has another value.
    NotEquals {
        /// The value it must not have.
        value: Value,
    },
    /// The attribute has one of these values.
    In {
        /// The values.
        values: Vec<Value>,
    },
}

impl Condition {
    /// Returns `true` if the condition holds for an attribute that is there.
    pub fn holds_for(&self, actual: &Value) -> bool {
        match self {
            Self::Equals { value } => is_same(value, actual),
            Self::NotEquals { value } => !is_same(value, actual),
            Self::In { values } => values.iter().any(|value| is_same(value, actual)),
        }
    }
}

/// Returns `true` if a condition means a value.
///
/// A name is the same however it is spelled: whoever writes a condition does not see how it is composed.
fn is_same(value: &Value, actual: &Value) -> bool {
    match (value, actual) {
        (Value::String(value), Value::String(actual)) => name::is_same(value, actual),
        _ => value == actual,
    }
}

/// Returns the one value that stands for all that mean the same.
pub(super) fn canonical(value: &Value) -> Cow<'_, Value> {
    match value {
        Value::String(text) if !text.is_ascii() => Cow::Owned(Value::String(name::composed(text))),
        value => Cow::Borrowed(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_can_be_spelled_in_several_ways_is_copied() {
        for value in [json!("Cafe"), json!(1), json!(["Cafe\u{301}"])] {
            assert!(matches!(canonical(&value), Cow::Borrowed(same) if *same == value));
        }
        assert_eq!(*canonical(&json!("Cafe\u{301}")), json!("Caf\u{e9}"));
    }
}
