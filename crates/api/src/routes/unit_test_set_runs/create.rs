//! Creates a run; it begins at once, on whichever server has time.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::simulations::unit_test_set_runs;
use forge_wire::unit_test_set_runs::{CreateRun, RunCreated};

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Nothing, Nothing, CreateRun, Caller>) -> Answer {
    let new = unit_test_set_runs::CreateRun {
        unit_test_set_id: call.body.simulation_unit_test_set_id,
        service_id: call.body.service_id,
        version_set_name: call.body.service_version_set_name,
    };
    let id = unit_test_set_runs::create(call.server.ctx(&call.caller), &new).await?;
    reply::json(
        StatusCode::CREATED,
        &RunCreated {
            simulation_unit_test_set_run_id: id,
        },
    )
}
