//! Deletes a unit test.

use forge_app::simulations::unit_tests;

use forge_app::Caller;

use super::Path;
use crate::call::{Call, Nothing};
use crate::reply::{self, Answer};

pub(crate) async fn handle(call: Call<Path, Nothing, Nothing, Caller>) -> Answer {
    let id = call.path.simulation_unit_test_id;
    let written = unit_tests::delete(call.server.ctx(&call.caller), id).await?;
    Ok(reply::with_sequence(
        reply::no_content(),
        Some(written.change_number),
    ))
}
