//! Metrics: what a conversation is judged by, and when a value passes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::ServiceId;
use crate::fault::Fault;
use crate::id::kind;
use crate::item::{
    CreateItem, DetailsFilter, Item, ItemDetails, ItemDocument, ItemFields, ItemKind, ItemUpdate,
    without_repetitions,
};
use crate::tag::Tags;

/// A metric, without its versions.
pub type Metric = Item<MetricDetails>;

/// What only metrics have.
///
/// The tag stands for the kind in what is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename = "metric")]
pub struct MetricDetails {
    /// The services whose conversations it is meant for.
    pub applied_to_services: Vec<ServiceId>,
    /// What people should know of it.
    pub additional_notes: Option<String>,
    /// The kind of its values, the same in all versions.
    pub value_kind: MetricValueKind,
}

impl ItemDetails for MetricDetails {
    const KIND: ItemKind = ItemKind::Metric;
    type IdKind = kind::Metric;
    type Document = MetricDocument;
    type Update = UpdateMetric;
    type Filter = MetricFilter;

    fn applied_to_services(&self) -> &[ServiceId] {
        &self.applied_to_services
    }

    fn audit_fields(&self, _: bool) -> Vec<(&'static str, Value)> {
        vec![
            ("applied_to_services", json!(self.applied_to_services)),
            ("additional_notes", json!(self.additional_notes)),
            ("metric_value_type", json!(self.value_kind)),
        ]
    }
}

/// What changes about a metric; what is absent stays as it is.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields are those of a metric")]
pub struct UpdateMetric {
    pub tags: Option<Tags>,
    pub applied_to_services: Option<Vec<ServiceId>>,
    /// `Some(None)` erases them.
    pub additional_notes: Option<Option<String>>,
}

impl ItemUpdate<MetricDetails> for UpdateMetric {
    fn apply(self, metric: &Metric) -> Metric {
        let metric = metric.clone();
        let services = self.applied_to_services.map(without_repetitions);
        Metric {
            tags: self.tags.unwrap_or(metric.tags),
            details: MetricDetails {
                applied_to_services: services.unwrap_or(metric.details.applied_to_services),
                additional_notes: self.additional_notes.unwrap_or(metric.details.additional_notes),
                value_kind: metric.details.value_kind,
            },
            ..metric
        }
    }
}

/// Which metrics are wanted; what is empty admits all.
#[derive(Debug, Clone, Default)]
pub struct MetricFilter {
    /// Applied to one of these services.
    pub applied_to_services: Vec<ServiceId>,
    /// Of one of these kinds of values.
    pub value_kinds: Vec<MetricValueKind>,
}

/// What the filter of metrics can take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetricFilterValues {
    /// The services that metrics are applied to.
    pub applied_to_services: BTreeSet<ServiceId>,
    /// The kinds of their values.
    pub value_kinds: BTreeSet<MetricValueKind>,
}

impl DetailsFilter<MetricDetails> for MetricFilter {
    type Values = MetricFilterValues;

    fn admits(&self, metric: &Metric) -> bool {
        let details = &metric.details;
        let mut applied = details.applied_to_services.iter();
        (self.applied_to_services.is_empty()
            || applied.any(|service| self.applied_to_services.contains(service)))
            && (self.value_kinds.is_empty() || self.value_kinds.contains(&details.value_kind))
    }

    fn add_values(values: &mut Self::Values, metric: &Metric) {
        values
            .applied_to_services
            .extend(&metric.details.applied_to_services);
        values.value_kinds.insert(metric.details.value_kind);
    }
}

/// A metric to be created.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the fields are those of a metric")]
pub struct CreateMetric {
    pub name: String,
    pub tags: Tags,
    pub applied_to_services: Vec<ServiceId>,
    pub additional_notes: Option<String>,
    pub document: MetricDocument,
}

impl From<CreateMetric> for CreateItem<MetricDetails> {
    fn from(create: CreateMetric) -> Self {
        Self {
            fields: ItemFields {
                name: create.name,
                is_active: true,
                tags: create.tags,
                details: MetricDetails {
                    applied_to_services: without_repetitions(create.applied_to_services),
                    additional_notes: create.additional_notes,
                    value_kind: create.document.metric_value.kind(),
                },
            },
            document: create.document,
        }
    }
}

impl ItemDocument for MetricDocument {}

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
