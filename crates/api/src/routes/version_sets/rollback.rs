//! Restores an earlier revision of a set.

use forge_app::Caller;
use forge_app::version_sets::promotion;
use forge_wire::promotion::Rollback;

use super::options::{answer, options};
use crate::call::{Call, Nothing};
use crate::reply::Answer;
use crate::routes::SetPath;

pub(crate) async fn handle(call: Call<SetPath, Nothing, Rollback, Caller>) -> Answer {
    let (ctx, path) = (call.server.ctx(&call.caller), call.path);
    let options = options(call.body.options, &call.headers)?;
    let (service, name, rollback) = (path.service_id, &path.version_set_name, call.body.rollback);
    answer(promotion::roll_back(ctx, service, name, rollback, &options).await?)
}
