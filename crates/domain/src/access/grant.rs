//! Grants: a permission, narrowed by conditions.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// Tells whether the condition holds for an attribute that is there.
    pub fn holds_for(&self, actual: &Value) -> bool {
        match self {
            Self::Equals { value } => value == actual,
            Self::NotEquals { value } => value != actual,
            Self::In { values } => values.contains(actual),
        }
    }
}
