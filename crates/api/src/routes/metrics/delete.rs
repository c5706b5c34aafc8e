//! Deletes a metric.

use axum::http::StatusCode;
use forge_app::{Caller, items};
use forge_domain::metric::MetricDetails;

use super::Path;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Path, Nothing, Nothing, Caller>) -> Answer {
    let id = call.path.metric_id;
    let deleted = items::delete::<MetricDetails>(call.server.ctx(&call.caller), id).await?;
    Ok(reply::with_sequence(
        reply::done(StatusCode::OK)?,
        Some(deleted.change_number),
    ))
}
