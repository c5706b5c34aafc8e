//! Deletes a set.

use forge_app::Caller;
use forge_app::version_sets::promotion;
use forge_wire::promotion::Options;

use super::existing;
use super::options::{classic_answer, options};
use crate::call::{Call, Nothing};
use crate::reply::Answer;
use crate::routes::SetPath;

pub(crate) async fn handle(call: Call<SetPath, Options, Nothing, Caller>) -> Answer {
    let name = existing(&call.path.version_set_name)?;
    let options = options(call.query, &call.headers)?;
    let (ctx, service_id) = (call.server.ctx(&call.caller), call.path.service_id);
    let outcome = promotion::delete(ctx, service_id, &name, &options).await?;
    classic_answer(&outcome, options.is_dry_run)
}
