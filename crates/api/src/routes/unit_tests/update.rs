//! Changes a unit test.

use forge_app::simulations::unit_tests;

use forge_app::Caller;
use forge_wire::unit_tests::UpdateUnitTest;

use super::{Path, refuse_many_runs};
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Path, Nothing, UpdateUnitTest, Caller>) -> Answer {
    let body = call.body;
    refuse_many_runs(body.run_count)?;
    let update = unit_tests::UpdateUnitTest {
        description: body.description,
        service_id: body.service_id,
        version_set_name: body.service_version_set_name,
        persona_id: body.persona_id,
        scenario_id: body.scenario_id,
        max_interactions: body.max_interactions,
        run_count: body.run_count,
        success_criterions: body.success_criterions,
        tags: body.tags,
    };
    let id = call.path.simulation_unit_test_id;
    let written = unit_tests::update(call.server.ctx(&call.caller), id, update).await?;
    let change_number = written.map(|written| written.change_number);
    Ok(reply::with_sequence(reply::no_content(), change_number))
}
