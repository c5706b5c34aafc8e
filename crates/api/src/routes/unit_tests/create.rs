//! Creates a unit test.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::simulations::unit_tests;
use forge_wire::unit_tests::{CreateUnitTest, UnitTestCreated};

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Nothing, Nothing, CreateUnitTest, Caller>) -> Answer {
    let created = unit_tests::create(call.server.ctx(&call.caller), call.body.into()).await?;
    let body = UnitTestCreated {
        simulation_unit_test_id: created.value,
    };
    let response = reply::json(StatusCode::CREATED, &body)?;
    Ok(reply::with_sequence(response, Some(created.change_number)))
}
