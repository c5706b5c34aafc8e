//! Metrics: what a conversation is judged by, and when a value passes.

use serde::{Deserialize, Serialize};

use crate::fault::Fault;

pub use forge_types::criterion::{Criterion, MeasuredValue, MetricValueKind, Verb};

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

#[cfg(test)]
mod tests {
    use super::*;

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
