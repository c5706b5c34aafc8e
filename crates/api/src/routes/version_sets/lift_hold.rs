//! Lifts the hold on a set.

use forge_app::Caller;
use forge_app::version_sets::promotion;

use super::existing;
use super::options::precondition;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};
use crate::routes::SetPath;

pub(crate) async fn handle(call: Call<SetPath, Nothing, Nothing, Caller>) -> Answer {
    let name = existing(&call.path.version_set_name)?;
    let precondition = precondition(&call.headers)?;
    let (ctx, service) = (call.server.ctx(&call.caller), call.path.service_id);
    let lifted = promotion::lift_hold(ctx, service, &name, &precondition).await?;
    Ok(reply::with_sequence(reply::no_content(), lifted))
}
