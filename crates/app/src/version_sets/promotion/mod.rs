//! Changing what sets pin: upsert, promote, roll back, delete, and lifting a hold.
//!
//! All of them but the last go one way, which `change.rs` tells from top to bottom: load, authorise, plan, check what the
//! caller saw before, write. The rules are the plan's, in `forge_domain::plan`.

mod batch;
mod change;
mod hold;
mod load;
mod many;
mod options;
mod planned;
mod planning;
mod preconditions;
mod write;

pub use forge_domain::plan::{Promote, Rollback};
use forge_domain::version_set::RequestedPins;
use forge_domain::{ServiceId, SetName};

pub use hold::lift_hold;
pub(crate) use hold::write_lifted;
pub use many::{Promotion, PromotionsOutcome, promote_many};
pub use options::{ChangeOptions, ChangeOutcome, Precondition};

use crate::{AppError, Ctx};
use batch::{Batch, ChangeRequest};
use change::change;

/// Makes a set pin what is asked for, creating it if it is not there.
pub async fn upsert(
    ctx: Ctx<'_>,
    service_id: ServiceId,
    name: &SetName,
    pins: RequestedPins,
    options: &ChangeOptions,
) -> Result<ChangeOutcome, AppError> {
    let batch = Batch::of_one(service_id, name.as_str(), ChangeRequest::Upsert(pins));
    change_one(ctx, &batch, options).await
}

/// Copies the pins of one set of a service onto another, creating it if it is not there.
///
/// The caller must be allowed to read the source and to change the target. The target's name may be any text; one that
/// cannot be a set's is a blocker of the plan.
pub async fn promote(
    ctx: Ctx<'_>,
    service_id: ServiceId,
    name: &str,
    promote: Promote,
    options: &ChangeOptions,
) -> Result<ChangeOutcome, AppError> {
    let batch = Batch::of_one(service_id, name, ChangeRequest::Promote(promote));
    change_one(ctx, &batch, options).await
}

/// Restores an earlier revision of a set and leaves a hold on it, unless the options lift holds.
pub async fn roll_back(
    ctx: Ctx<'_>,
    service_id: ServiceId,
    name: &str,
    rollback: Rollback,
    options: &ChangeOptions,
) -> Result<ChangeOutcome, AppError> {
    let batch = Batch::of_one(service_id, name, ChangeRequest::Rollback(rollback));
    change_one(ctx, &batch, options).await
}

/// Deletes a set; its history stays, and goes on counting if the set comes back.
pub async fn delete(
    ctx: Ctx<'_>,
    service_id: ServiceId,
    name: &SetName,
    options: &ChangeOptions,
) -> Result<ChangeOutcome, AppError> {
    let batch = Batch::of_one(service_id, name.as_str(), ChangeRequest::Delete);
    change_one(ctx, &batch, options).await
}

/// Changes a set by a batch of one.
async fn change_one(ctx: Ctx<'_>, batch: &Batch, options: &ChangeOptions) -> Result<ChangeOutcome, AppError> {
    let mut outcomes = change(ctx, batch, options).await?;
    outcomes
        .pop()
        .ok_or_else(|| AppError::internal("a change had no outcome"))
}
