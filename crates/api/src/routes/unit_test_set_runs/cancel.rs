//! Stops a run that is in progress.

use forge_app::simulations::unit_test_set_runs;

use forge_app::Caller;

use super::Path;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Path, Nothing, Nothing, Caller>) -> Answer {
    let id = call.path.simulation_unit_test_set_run_id;
    unit_test_set_runs::cancel(call.server.ctx(&call.caller), id).await?;
    Ok(reply::no_content())
}
