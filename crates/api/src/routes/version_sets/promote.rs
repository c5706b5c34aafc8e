//! Copies the pins of one set onto another.

use forge_app::Caller;
use forge_app::version_sets::promotion;
use forge_wire::promotion::Promote;

use super::options::{answer, options};
use crate::call::{Call, Nothing};
use crate::reply::Answer;
use crate::routes::SetPath;

pub(crate) async fn handle(call: Call<SetPath, Nothing, Promote, Caller>) -> Answer {
    let (ctx, path) = (call.server.ctx(&call.caller), call.path);
    let options = options(call.body.options, &call.headers)?;
    let (service, name, promote) = (path.service_id, &path.version_set_name, call.body.promote);
    answer(promotion::promote(ctx, service, name, promote, &options).await?)
}
