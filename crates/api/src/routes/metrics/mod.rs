//! Metrics.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod evaluate;
pub(crate) mod list;
pub(crate) mod results;
pub(crate) mod update;

use forge_domain::metric::{MetricFilter, MetricValueKind};
use forge_domain::{MetricId, ServiceId};
use serde::Deserialize;

/// The path of a metric.
#[derive(Deserialize)]
pub(crate) struct Path {
    pub(crate) metric_id: MetricId,
}

/// What only metrics can be filtered by, as queries say it.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct OwnFilter {
    applied_to_service: Vec<ServiceId>,
    r#type: Vec<MetricValueKind>,
}

impl From<OwnFilter> for MetricFilter {
    fn from(query: OwnFilter) -> Self {
        Self {
            applied_to_services: query.applied_to_service,
            value_kinds: query.r#type,
        }
    }
}
