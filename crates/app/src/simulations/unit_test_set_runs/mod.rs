//! Runs of sets of unit tests: each test talks to its service as its persona in its scenario, and is judged.
//!
//! A run is created with everything that it depends on fixed. Its conversations are executed by whichever server has
//! time, see `worker`.

mod artifacts;
mod create;
mod execute;
mod finish;
mod job;
mod list;
mod worker;

use forge_domain::UnitTestSetRunId;
use forge_domain::access::{Attributes, Permission};
use forge_domain::simulation::UnitTestSetRun;
use forge_store::Tx;

use crate::simulations::unit_test_sets::attributes_of;
use crate::{AppError, Caller, Ctx};

pub use artifacts::{Artifacts, Link, Transcript, link, open};
pub use create::{CreateRun, create};
pub use list::{ListRuns, RunFilter, RunFilterValues, RunPage, RunView, Visibility, list};
pub use worker::{work, work_off};

pub(crate) fn attributes(run: &UnitTestSetRun) -> Attributes {
    attributes_of(run.unit_test_set_id, &run.unit_test_set_name)
}

async fn find(tx: &mut Tx, caller: &Caller, id: UnitTestSetRunId) -> Result<UnitTestSetRun, AppError> {
    let found = tx.find_unit_test_set_run(&caller.organization, id).await?;
    found.ok_or_else(|| AppError::NotFound(format!("there is no unit test set run {id}")))
}

/// Stops a run that is in progress: no more of its conversations begin, and those under way are given up soon.
pub async fn cancel(ctx: Ctx<'_>, id: UnitTestSetRunId) -> Result<(), AppError> {
    ctx.caller.require_any_grant(Permission::CancelUnitTestSetRun)?;
    let mut tx = ctx.app.write_run(ctx.caller).await?;
    let run = find(&mut tx, ctx.caller, id).await?;
    ctx.caller
        .authorize(Permission::CancelUnitTestSetRun, &attributes(&run))?;
    if !tx.cancel_unit_test_set_run(id, ctx.app.clock.now()).await? {
        return Err(AppError::Conflict(format!(
            "unit test set run {id} is not in progress any more"
        )));
    }
    tx.commit().await?;
    Ok(())
}
