//! What a caller asks of a set.

use serde::{Deserialize, Serialize};

/// What a caller asks of a promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promote {
    /// The name of the set to copy, whatever the caller wrote.
    pub source: String,
    /// Which revision of it; null means the latest.
    #[serde(default)]
    pub source_revision: Option<i64>,
    /// Whether floating pins are written as the numbers that they mean now.
    #[serde(default = "yes")]
    pub freeze: bool,
}

/// What a caller asks of a rollback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollback {
    /// The revision to restore; null means the one that was in force before.
    #[serde(default)]
    pub to_revision: Option<i64>,
    /// Whether floating pins are written as the numbers that they last meant.
    #[serde(default = "yes")]
    pub freeze: bool,
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_floats_is_frozen_unless_the_caller_says_otherwise() {
        let promote = |text| serde_json::from_str::<Promote>(text).unwrap().freeze;
        assert!(promote(r#"{"source": "preview"}"#));
        assert!(!promote(r#"{"source": "preview", "freeze": false}"#));
        let roll_back = |text| serde_json::from_str::<Rollback>(text).unwrap().freeze;
        assert!(roll_back("{}"));
        assert!(!roll_back(r#"{"freeze": false}"#));
    }
}
