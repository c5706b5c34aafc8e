//! Metrics: what conversations are judged by.

use forge_domain::fault::Fault;
use forge_domain::item::{Item, ItemDetails, ItemDocument, ItemKind};
use forge_domain::metric::MetricDocument;
use forge_domain::service::Tags;
use forge_domain::{MetricId, OrganizationId, ServiceId, VersionNumber};
use forge_store::Tx;

use super::{CreateItem, authorize_create, find_live, versions, without_repetitions};
use crate::{App, AppError, Caller, Written};

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
pub async fn create(app: &App, caller: &Caller, create: CreateMetric) -> Result<Written<String>, AppError> {
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
    authorize_create(caller, ItemKind::Metric, &create.name)?;
    let tx = app.write(caller).await?;
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
    super::create(app, tx, caller, item, ItemDocument::Metric(create.document)).await
}

/// Returns a metric that may be used anew, and the content of its latest version; see [`find_live`].
pub async fn find_latest(
    app: &App,
    tx: &mut Tx,
    organization: &OrganizationId,
    id: MetricId,
) -> Result<(Item, MetricDocument), AppError> {
    let item = find_live(tx, organization, ItemKind::Metric, &id.to_string()).await?;
    let document = content(app, tx, organization, id, item.latest_version).await?;
    Ok((item, document))
}

/// Returns the content of one version of a metric, deleted or not.
pub async fn content(
    app: &App,
    tx: &mut Tx,
    organization: &OrganizationId,
    id: MetricId,
    version: VersionNumber,
) -> Result<MetricDocument, AppError> {
    let of = (ItemKind::Metric, id.to_string());
    match versions::content(app, tx, organization, (of.0, &of.1), version).await? {
        ItemDocument::Metric(document) => Ok(document),
        other => Err(versions::of_another_kind(ItemKind::Metric, &other)),
    }
}
