//! Creates a set of unit tests.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::simulations::unit_test_sets;
use forge_wire::unit_test_sets::{CreateUnitTestSet, UnitTestSetCreated};

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Nothing, Nothing, CreateUnitTestSet, Caller>) -> Answer {
    let created = unit_test_sets::create(call.server.ctx(&call.caller), &call.body.into()).await?;
    let body = UnitTestSetCreated {
        simulation_unit_test_set_id: created.value,
    };
    let response = reply::json(StatusCode::CREATED, &body)?;
    Ok(reply::with_sequence(response, Some(created.change_number)))
}
