//! Changes a unit test.

use forge_app::Caller;
use forge_app::simulations::unit_tests;
use forge_wire::unit_tests::UpdateUnitTest;

use super::{Path, refuse_many_runs};
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Path, Nothing, UpdateUnitTest, Caller>) -> Answer {
    refuse_many_runs(call.body.run_count)?;
    let id = call.path.simulation_unit_test_id;
    let written = unit_tests::update(call.server.ctx(&call.caller), id, call.body.into()).await?;
    Ok(reply::changed(reply::no_content(), written))
}
