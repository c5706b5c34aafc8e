//! Changes a dynamic behavior set.

use forge_app::{Caller, items};
use forge_domain::behavior::BehaviorSetDetails;
use forge_wire::behavior_sets::UpdateBehaviorSet;

use super::Path;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Path, Nothing, UpdateBehaviorSet, Caller>) -> Answer {
    let (ctx, id) = (call.server.ctx(&call.caller), call.path.dynamic_behavior_set_id);
    let written = items::update::<BehaviorSetDetails>(ctx, id, call.body.into()).await?;
    Ok(reply::changed(reply::no_content(), written))
}
