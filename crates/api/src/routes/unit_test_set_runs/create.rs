//! Creates a run; it begins at once, on whichever server has time.

use axum::http::StatusCode;
use forge_app::Caller;
use forge_app::simulations::unit_test_set_runs;
use forge_wire::unit_test_set_runs::{CreateRun, RunCreated};

use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Nothing, Nothing, CreateRun, Caller>) -> Answer {
    let id = unit_test_set_runs::create(call.server.ctx(&call.caller), &call.body.into()).await?;
    reply::json(
        StatusCode::CREATED,
        &RunCreated {
            simulation_unit_test_set_run_id: id,
        },
    )
}
