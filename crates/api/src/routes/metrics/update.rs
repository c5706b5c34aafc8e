//! Changes a metric.

use axum::http::StatusCode;
use forge_app::{Caller, items};
use forge_domain::metric::MetricDetails;
use forge_wire::metrics::UpdateMetric;

use super::Path;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Path, Nothing, UpdateMetric, Caller>) -> Answer {
    let (ctx, id) = (call.server.ctx(&call.caller), call.path.metric_id);
    let written = items::update::<MetricDetails>(ctx, id, call.body.into()).await?;
    Ok(reply::changed(reply::done(StatusCode::OK)?, written))
}
