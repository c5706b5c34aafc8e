//! Metrics: what conversations are judged by.

use forge_domain::ServiceId;
use forge_domain::fault::Fault;
use forge_domain::item::{ItemDetails, ItemDocument, ItemKind};
use forge_domain::metric::MetricDocument;
use forge_domain::service::Tags;

use super::{CreateItem, authorize_create, without_repetitions};
use crate::{AppError, Ctx, Written};

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

/// Creates a metric with its first version, and returns its id.
pub async fn create(ctx: Ctx<'_>, create: CreateMetric) -> Result<Written<String>, AppError> {
    let faults = create.document.metric_value.faults().into_iter();
    let faults: Vec<Fault> = faults
        .map(|fault| {
            fault
                .inside("metric_value")
                .inside("initial_version_metric_value")
                .inside("body")
        })
        .collect();
    if !faults.is_empty() {
        return Err(AppError::Invalid(faults));
    }
    authorize_create(ctx.caller, ItemKind::Metric, &create.name)?;
    let tx = ctx.app.write(ctx.caller).await?;
    let item = CreateItem {
        name: create.name,
        is_active: true,
        tags: create.tags,
        details: ItemDetails::Metric {
            applied_to_services: without_repetitions(create.applied_to_services),
            additional_notes: create.additional_notes,
            value_kind: create.document.metric_value.kind(),
        },
    };
    super::create(ctx, tx, item, ItemDocument::Metric(create.document)).await
}
