//! Metrics.

use std::collections::BTreeSet;

use forge_domain::evaluation::EvaluationSource;
use forge_domain::item::FilterValues;
use forge_domain::metric::{self, MeasuredValue, Metric, MetricDetails, MetricDocument, MetricValueKind};
use forge_domain::tag::Tags;
use forge_domain::{
    ConversationId, InteractionId, MessageId, MetricId, MetricResultId, OrganizationId, ServiceId, UserRef,
    VersionNumber,
};
use serde::{Deserialize, Serialize};

use crate::erasable::erasable;
use crate::items::ItemAnswers;
use crate::rfc3339;
use crate::services::{Tag, tags};

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

impl From<CreateMetric> for metric::CreateMetric {
    fn from(body: CreateMetric) -> Self {
        Self {
            name: body.name,
            tags: body.tags,
            applied_to_services: body.applied_to_services,
            additional_notes: body.additional_notes,
            document: body.initial_version_metric_value,
        }
    }
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

impl From<UpdateMetric> for metric::UpdateMetric {
    fn from(body: UpdateMetric) -> Self {
        Self {
            tags: body.tags,
            applied_to_services: body.applied_to_services,
            additional_notes: body.additional_notes,
        }
    }
}

/// A metric in an answer.
///
/// Metrics have their tags as a list, all other items as an object.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct MetricInstance {
    pub id: MetricId,
    pub name: String,
    pub tags: Vec<Tag>,
    pub org_id: OrganizationId,
    pub is_deleted: bool,
    pub applied_to_services: Vec<ServiceId>,
    pub additional_notes: Option<String>,
    pub metric_value_type: MetricValueKind,
    pub created_at: String,
    pub creator: UserRef,
    pub updated_at: String,
    pub updated_by: UserRef,
}

/// What a list of metrics can be filtered by.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields are the contract's")]
pub struct MetricFilterValues {
    pub creators: Vec<UserRef>,
    pub tags: BTreeSet<String>,
    pub applied_to_services_ids: BTreeSet<ServiceId>,
    pub types: BTreeSet<MetricValueKind>,
}

impl ItemAnswers for MetricDetails {
    type Instance = MetricInstance;
    type FilterValues = MetricFilterValues;

    fn instance(organization: &OrganizationId, metric: Metric) -> MetricInstance {
        MetricInstance {
            id: metric.id,
            name: metric.name,
            tags: tags(metric.tags),
            org_id: organization.clone(),
            is_deleted: metric.is_deleted,
            applied_to_services: metric.details.applied_to_services,
            additional_notes: metric.details.additional_notes,
            metric_value_type: metric.details.value_kind,
            created_at: rfc3339(metric.created_at),
            creator: metric.creator,
            updated_at: rfc3339(metric.updated_at),
            updated_by: metric.updated_by,
        }
    }

    fn filter_values(values: FilterValues<Self>) -> MetricFilterValues {
        MetricFilterValues {
            creators: values.creators,
            tags: values.tags,
            applied_to_services_ids: values.details.applied_to_services,
            types: values.details.value_kinds,
        }
    }
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
