//! Metrics.

use forge_domain::ServiceId;
use forge_domain::metric::MetricDocument;
use forge_domain::service::Tags;
use serde::Deserialize;

use crate::erasable::erasable;

/// The body that creates a metric.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct CreateMetric {
    pub name: String,
    pub applied_to_services: Vec<ServiceId>,
    pub additional_notes: Option<String>,
    pub tags: Tags,
    pub initial_version_metric_value: MetricDocument,
}

/// The body that changes a metric; absent fields stay as they are, and null erases notes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct UpdateMetric {
    pub applied_to_services: Option<Vec<ServiceId>>,
    #[serde(deserialize_with = "erasable")]
    pub additional_notes: Option<Option<String>>,
    pub tags: Option<Tags>,
}
