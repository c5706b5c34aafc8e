//! Creates a metric with its first version.

use forge_app::Caller;
use forge_app::items::metrics;
use forge_wire::Created;
use forge_wire::metrics::CreateMetric;

use crate::call::{Call, Nothing};
use crate::reply::{Answer, created};

pub(crate) async fn handle(call: Call<Nothing, Nothing, CreateMetric, Caller>) -> Answer {
    let written = metrics::create(call.server.ctx(&call.caller), call.body.into()).await?;
    created(written, |id| Created { id })
}
