//! Metrics: what a conversation is judged by, and when a value passes.

use serde::{Deserialize, Serialize};

use crate::fault::Fault;

/// The content of one version of a metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricDocument {
    /// What is measured, for whoever judges.
    pub description: String,
    /// Which values it can have.
    pub metric_value: MetricValue,
}

/// Which values a metric can have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum MetricValue {
    /// A number between two bounds, which belong to it.
    Numerical {
        /// The smallest.
        lower_bound: f64,
        /// The greatest.
        upper_bound: f64,
    },
    /// One of some names.
    Categorical {
        /// The names.
        categories: Vec<String>,
    },
    /// True or false.
    Boolean,
}

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

impl MetricValue {
    /// Returns what is wrong with the values themselves, each at its place below the metric's value.
    pub fn faults(&self) -> Vec<Fault> {
        match self {
            Self::Numerical {
                lower_bound,
                upper_bound,
            } if lower_bound > upper_bound => {
                let msg = "the upper bound is below the lower bound, so no number would do";
                vec![Fault::new(vec!["upper_bound".into()], "bounds", msg)]
            }
            _ => Vec::new(),
        }
    }

    /// Returns `true` if the metric can have this value.
    pub fn admits(&self, value: &MeasuredValue) -> bool {
        match (self, value) {
            (
                Self::Numerical {
                    lower_bound,
                    upper_bound,
                },
                MeasuredValue::Number(number),
            ) => (*lower_bound..=*upper_bound).contains(number),
            (Self::Categorical { categories }, MeasuredValue::Category(name)) => categories.contains(name),
            (Self::Boolean, MeasuredValue::Boolean(_)) => true,
            _ => false,
        }
    }

    /// Returns the kind of value.
    pub fn kind(&self) -> MetricValueKind {
        match self {
            Self::Numerical { .. } => MetricValueKind::Numerical,
            Self::Categorical { .. } => MetricValueKind::Categorical,
            Self::Boolean => MetricValueKind::Boolean,
        }
    }
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

    #[test]
    fn a_metric_admits_values_of_its_kind_within_its_bounds() {
        let grade = MetricValue::Numerical {
            lower_bound: 1.0,
            upper_bound: 5.0,
        };
        let admitted = [0.9, 1.0, 5.0, 5.1].map(|number| grade.admits(&MeasuredValue::Number(number)));
        assert_eq!(admitted, [false, true, true, false]);
        assert!(!grade.admits(&MeasuredValue::Number(f64::NAN)));
        assert!(!grade.admits(&MeasuredValue::Boolean(true)));
        assert!(MetricValue::Boolean.admits(&MeasuredValue::Boolean(false)));
    }

    #[test]
    fn bounds_that_no_number_is_between_are_a_fault() {
        let bounds = |lower_bound, upper_bound| MetricValue::Numerical {
            lower_bound,
            upper_bound,
        };
        assert_eq!(bounds(1.0, 1.0).faults(), []);
        assert_eq!(
            bounds(1.0, 0.5).faults()[0].to_string().split(':').next(),
            Some("upper_bound")
        );
        assert_eq!(MetricValue::Boolean.faults(), []);
    }
}
