//! Creates a dynamic behavior set with its first version.

use forge_app::Caller;
use forge_app::items::behavior_sets;
use forge_wire::behavior_sets::{BehaviorSetCreated, CreateBehaviorSet};

use crate::call::{Call, Nothing};
use crate::reply::{Answer, created};

pub(crate) async fn handle(call: Call<Nothing, Nothing, CreateBehaviorSet, Caller>) -> Answer {
    let written = behavior_sets::create(call.server.ctx(&call.caller), call.body.into()).await?;
    created(written, |dynamic_behavior_set_id| BehaviorSetCreated {
        dynamic_behavior_set_id,
    })
}
