//! Makes a set pin what is asked for.

use forge_app::Caller;
use forge_app::version_sets::promotion;
use forge_domain::{ServiceId, SetName};
use forge_wire::promotion::Options;
use forge_wire::version_sets::UpsertVersionSet;
use serde::Deserialize;

use super::options::{classic_answer, options};
use crate::call::Call;
use crate::reply::Answer;

/// The path of a set that may be created: its name must be one.
#[derive(Deserialize)]
pub(crate) struct Path {
    service_id: ServiceId,
    version_set_name: SetName,
}

pub(crate) async fn handle(call: Call<Path, Options, UpsertVersionSet, Caller>) -> Answer {
    let Path {
        service_id,
        version_set_name,
    } = call.path;
    let options = options(call.query, &call.headers)?;
    let (ctx, pins) = (call.server.ctx(&call.caller), call.body.version_set);
    let outcome = promotion::upsert(ctx, service_id, &version_set_name, pins, &options).await?;
    classic_answer(&outcome, options.is_dry_run)
}
