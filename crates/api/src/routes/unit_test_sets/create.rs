//! Creates a set of unit tests.

use forge_app::Caller;
use forge_app::simulations::unit_test_sets;
use forge_wire::unit_test_sets::{CreateUnitTestSet, UnitTestSetCreated};

use crate::call::{Call, Nothing};
use crate::reply::{Answer, created};

pub(crate) async fn handle(call: Call<Nothing, Nothing, CreateUnitTestSet, Caller>) -> Answer {
    let written = unit_test_sets::create(call.server.ctx(&call.caller), &call.body.into()).await?;
    created(written, |simulation_unit_test_set_id| UnitTestSetCreated {
        simulation_unit_test_set_id,
    })
}
