//! Changes a set of unit tests.

use forge_app::Caller;
use forge_app::simulations::unit_test_sets;
use forge_wire::unit_test_sets::UpdateUnitTestSet;

use super::Path;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Path, Nothing, UpdateUnitTestSet, Caller>) -> Answer {
    let id = call.path.simulation_unit_test_set_id;
    let written = unit_test_sets::update(call.server.ctx(&call.caller), id, call.body.into()).await?;
    Ok(reply::changed(reply::no_content(), written))
}
