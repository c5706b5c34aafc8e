//! Creates a unit test.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::simulations::unit_tests::{self, NewUnitTest};
use forge_wire::unit_tests::{CreateUnitTest, UnitTestCreated};

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Nothing, Nothing, CreateUnitTest, Caller>) -> Answer {
    let body = call.body;
    let new = NewUnitTest {
        name: body.name,
        description: body.description,
        service_id: body.service_id,
        version_set_name: body.service_version_set_name,
        persona_id: body.persona_id,
        scenario_id: body.scenario_id,
        max_interactions: body.max_interactions,
        success_criterions: body.success_criterions,
        tags: body.tags,
    };
    let created = unit_tests::create(call.server.ctx(&call.caller), new).await?;
    let body = UnitTestCreated {
        simulation_unit_test_id: created.value,
    };
    let response = reply::json(StatusCode::CREATED, &body)?;
    Ok(reply::with_sequence(response, Some(created.change_number)))
}
