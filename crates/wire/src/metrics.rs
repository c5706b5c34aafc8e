//! Metrics.

use forge_domain::evaluation::EvaluationSource;
use forge_domain::metric::{MeasuredValue, MetricDocument};
use forge_domain::service::Tags;
use forge_domain::{
    ConversationId, InteractionId, MessageId, MetricId, MetricResultId, ServiceId, VersionNumber,
};
use serde::{Deserialize, Serialize};

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

/// The body that has a conversation judged.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct EvaluateMetrics {
    pub metric_ids: Vec<MetricId>,
    pub conversation_id: ConversationId,
    #[serde(default)]
    pub evaluate_to_interaction_id: Option<InteractionId>,
}

/// What a conversation was found to be like by one metric.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct Evaluated {
    pub metric_id: MetricId,
    pub value: Option<MeasuredValue>,
    pub references: Vec<MessageId>,
    pub justification: String,
}

/// The answer of judging a conversation.
#[derive(Debug, Serialize)]
pub struct MetricsEvaluated {
    /// The results, in the order of the request.
    pub metrics: Vec<Evaluated>,
}

/// A stored result in an answer.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct ResultInstance {
    pub id: MetricResultId,
    pub org_id: String,
    pub created_at: String,
    pub updated_at: String,
    pub metric_id: MetricId,
    pub metric_version: VersionNumber,
    pub result: Option<MeasuredValue>,
    pub justification: String,
    pub source: EvaluationSource,
}
