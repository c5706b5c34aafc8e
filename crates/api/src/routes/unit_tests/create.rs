//! Creates a unit test.

use forge_app::Caller;
use forge_app::simulations::unit_tests;
use forge_wire::unit_tests::{CreateUnitTest, UnitTestCreated};

use crate::call::{Call, Nothing};
use crate::reply::{Answer, created};

pub(crate) async fn handle(call: Call<Nothing, Nothing, CreateUnitTest, Caller>) -> Answer {
    let written = unit_tests::create(call.server.ctx(&call.caller), call.body.into()).await?;
    created(written, |simulation_unit_test_id| UnitTestCreated {
        simulation_unit_test_id,
    })
}
