//! When a value that a conversation was given passes.

use serde::{Deserialize, Serialize};

/// The kind of values that a metric has, fixed by its first version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum MetricValueKind {
    Boolean,
    Numerical,
    Categorical,
}

impl MetricValueKind {
    /// Returns the wire's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Numerical => "numerical",
            Self::Categorical => "categorical",
        }
    }
}

impl std::fmt::Display for MetricValueKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A value that a metric has for a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MeasuredValue {
    /// Of a boolean metric.
    Boolean(bool),
    /// Of a numerical one.
    Number(f64),
    /// Of a categorical one.
    Category(String),
}

/// What a value has to be for a test to pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Criterion {
    /// A number that compares like this with a threshold.
    Numerical {
        /// How.
        verb: Verb,
        /// With what.
        threshold: f64,
    },
    /// This value.
    Boolean {
        /// It.
        expected_value: bool,
    },
    /// One of these categories.
    Categorical {
        /// They.
        expected_values: Vec<String>,
    },
}

/// How a number is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Verb {
    #[serde(rename = "==")]
    Equal,
    #[serde(rename = "!=")]
    NotEqual,
    #[serde(rename = "<=")]
    AtMost,
    #[serde(rename = "<")]
    Below,
    #[serde(rename = ">=")]
    AtLeast,
    #[serde(rename = ">")]
    Above,
}

impl Criterion {
    /// Returns the kind of value that it is about.
    pub fn kind(&self) -> MetricValueKind {
        match self {
            Self::Numerical { .. } => MetricValueKind::Numerical,
            Self::Categorical { .. } => MetricValueKind::Categorical,
            Self::Boolean { .. } => MetricValueKind::Boolean,
        }
    }

    /// Returns `true` if a value passes.
    ///
    /// One of another kind does not.
    #[expect(clippy::float_cmp, reason = "whoever asks for equality means it")]
    pub fn is_met_by(&self, value: &MeasuredValue) -> bool {
        match (self, value) {
            (Self::Numerical { verb, threshold }, MeasuredValue::Number(number)) => match verb {
                Verb::Equal => number == threshold,
                Verb::NotEqual => number != threshold,
                Verb::AtMost => number <= threshold,
                Verb::Below => number < threshold,
                Verb::AtLeast => number >= threshold,
                Verb::Above => number > threshold,
            },
            (Self::Boolean { expected_value }, MeasuredValue::Boolean(value)) => value == expected_value,
            (Self::Categorical { expected_values }, MeasuredValue::Category(name)) => {
                expected_values.contains(name)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_compared_as_the_verb_says() {
        for (verb, below, equal, above) in [
            ("==", false, true, false),
            ("!=", true, false, true),
            ("<=", true, true, false),
            ("<", true, false, false),
            (">=", false, true, true),
            (">", false, false, true),
        ] {
            let criterion = json!({"type": "numerical", "verb": verb, "threshold": 0.5});
            let criterion: Criterion = serde_json::from_value(criterion).unwrap();
            let met = [0.25, 0.5, 0.75].map(|number| criterion.is_met_by(&MeasuredValue::Number(number)));
            assert_eq!(met, [below, equal, above], "{verb}");
        }
    }

    #[test]
    fn a_value_of_another_kind_never_passes() {
        let criterion = Criterion::Boolean { expected_value: true };
        assert!(criterion.is_met_by(&MeasuredValue::Boolean(true)));
        assert!(!criterion.is_met_by(&MeasuredValue::Number(1.0)));
        let criterion = Criterion::Categorical {
            expected_values: vec!["calm".into()],
        };
        assert!(criterion.is_met_by(&MeasuredValue::Category("calm".into())));
        assert!(!criterion.is_met_by(&MeasuredValue::Category("angry".into())));
        assert!(!criterion.is_met_by(&MeasuredValue::Boolean(true)));
    }
}
