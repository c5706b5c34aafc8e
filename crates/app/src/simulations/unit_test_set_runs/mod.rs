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

use forge_domain::access::{Attributes, Permission};
use forge_domain::simulation::UnitTestSetRun;
use forge_domain::{OrganizationId, UnitTestSetRunId};
use forge_store::{StoreError, Tx};

use crate::access::resource::Resource;
use crate::simulations::unit_test_sets::attributes_of;
use crate::{AppError, Caller, Ctx};

pub use artifacts::{Artifacts, Link, Transcript, link, open};
pub use create::create;
pub use list::{ListRuns, RunPage, RunView, list};
pub use worker::{work, work_off};

impl Resource for UnitTestSetRun {
    type Key = UnitTestSetRunId;

    async fn by_key(
        tx: &mut Tx,
        organization: &OrganizationId,
        id: &UnitTestSetRunId,
    ) -> Result<Option<Self>, StoreError> {
        tx.find_unit_test_set_run(organization, *id).await
    }

    fn not_found(id: &UnitTestSetRunId) -> AppError {
        AppError::NotFound(format!("there is no unit test set run {id}"))
    }

    fn attributes_for(&self, _: &Caller) -> Attributes {
        attributes_of(self.unit_test_set_id, &self.unit_test_set_name)
    }
}

/// Stops a run that is in progress: no more of its conversations begin, and those under way are given up soon.
pub async fn cancel(ctx: Ctx<'_>, id: UnitTestSetRunId) -> Result<(), AppError> {
    const PERMISSION: Permission = Permission::CancelUnitTestSetRun;
    let mut tx = ctx.write_run(PERMISSION).await?;
    ctx.caller
        .fetch::<UnitTestSetRun>(&mut tx, PERMISSION, &id)
        .await?;
    if !tx.cancel_unit_test_set_run(id, ctx.app.clock.now()).await? {
        return Err(AppError::Conflict(format!(
            "unit test set run {id} is not in progress any more"
        )));
    }
    tx.commit().await?;
    Ok(())
}
