//! Changes a scenario.

use forge_app::{Caller, items};
use forge_domain::simulation::ScenarioDetails;
use forge_wire::items::UpdateTags;

use super::Path;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Path, Nothing, UpdateTags, Caller>) -> Answer {
    let (ctx, id) = (call.server.ctx(&call.caller), call.path.simulation_scenario_id);
    let written = items::update::<ScenarioDetails>(ctx, id, call.body.into()).await?;
    Ok(reply::changed(reply::no_content(), written))
}
