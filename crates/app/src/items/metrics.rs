//! Metrics: what conversations are judged by.

use forge_domain::MetricId;
use forge_domain::fault::Fault;
use forge_domain::metric::{CreateMetric, MetricDetails};

use super::authorize_create;
use crate::{AppError, Ctx, Written};

/// Creates a metric with its first version, and returns its id.
pub async fn create(ctx: Ctx<'_>, create: CreateMetric) -> Result<Written<MetricId>, AppError> {
    let faults = create.document.metric_value.faults().into_iter();
    let faults: Vec<Fault> = faults
        .map(|fault| {
            fault
                .inside("metric_value")
                .inside("initial_version_metric_value")
        })
        .collect();
    if !faults.is_empty() {
        return Err(AppError::Invalid(faults));
    }
    authorize_create::<MetricDetails>(ctx.caller, &create.name)?;
    let tx = ctx.app.write(ctx.caller).await?;
    super::create(ctx, tx, create.into()).await
}
