//! Changing what sets pin: upsert, promote, roll back, delete, and lifting a hold.
//!
//! All of them go one way: read the service and its sets, authorise, build the plan, hold it against what the caller
//! saw before, and carry it out; a real call does all of that in one write transaction, a dry run in a read one. The
//! rules are the plan's, in `forge_domain::plan`.

mod change;
mod content;
mod many;
mod options;

use forge_domain::access::Permission;
use forge_domain::service::Service;
use forge_domain::version_set::RequestedPins;
use forge_domain::{ServiceId, SetName};

pub use many::{Promotion, PromotionsOutcome, promote_many};
pub use options::{ChangeOptions, ChangeOutcome, Plans, Precondition};

use crate::services::lookup::find_binding;
use crate::version_sets::{audited_set, set_attributes, unknown};
use crate::{AppError, Ctx, commit};
pub(crate) use change::audit_document;
use change::{ChangeRequest, change, set_moved};
pub(crate) use content::content;

/// Makes a set pin what is asked for, creating it if it is not there.
pub async fn upsert(
    ctx: Ctx<'_>,
    service_id: ServiceId,
    name: &SetName,
    requested: RequestedPins,
    options: &ChangeOptions,
) -> Result<ChangeOutcome, AppError> {
    change(
        ctx,
        service_id,
        name.as_str(),
        ChangeRequest::Upsert(requested),
        options,
    )
    .await
}

/// What a caller asks of a promotion.
#[derive(Debug, Clone)]
pub struct Promote {
    /// The name of the set to copy, whatever the caller wrote.
    pub source: String,
    /// Which revision of it; nothing means the latest.
    pub source_revision: Option<i64>,
    /// Whether floating pins are written as the numbers that they mean now.
    pub freeze: bool,
    /// Other sets of the service that the same call may create: they count as if they were there.
    pub beside: Vec<SetName>,
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
    change(ctx, service_id, name, ChangeRequest::Promote(promote), options).await
}

/// What a caller asks of a rollback.
#[derive(Debug, Clone, Copy)]
pub struct Rollback {
    /// The revision to restore; nothing means the one that was in force before.
    pub to_revision: Option<i64>,
    /// Whether floating pins are written as the numbers that they last meant.
    pub freeze: bool,
}

/// Restores an earlier revision of a set and leaves a hold on it, unless the options lift holds.
pub async fn roll_back(
    ctx: Ctx<'_>,
    service_id: ServiceId,
    name: &str,
    rollback: Rollback,
    options: &ChangeOptions,
) -> Result<ChangeOutcome, AppError> {
    change(ctx, service_id, name, ChangeRequest::Rollback(rollback), options).await
}

/// Deletes a set; its history stays, and goes on counting if the set comes back.
pub async fn delete(
    ctx: Ctx<'_>,
    service_id: ServiceId,
    name: &SetName,
    options: &ChangeOptions,
) -> Result<ChangeOutcome, AppError> {
    change(ctx, service_id, name.as_str(), ChangeRequest::Delete, options).await
}

/// Lifts the hold on a set.
///
/// Returns the change number, or `None` if there was no hold, in which case nothing is written.
///
/// A set's revision tells one hold on it from another: only a rollback places one, and that appends a revision. Where there
/// is no hold, all is as it was asked for, whatever the condition says: whoever sends the call again finds it done.
pub async fn lift_hold(
    ctx: Ctx<'_>,
    service_id: ServiceId,
    name: &SetName,
    precondition: &Precondition,
) -> Result<Option<i64>, AppError> {
    let mut tx = ctx.write(Permission::UpdateVersionSet).await?;
    let service: Service = ctx.caller.find_unchecked(&mut tx, &service_id).await?;
    ctx.caller
        .authorize(Permission::UpdateVersionSet, &set_attributes(&service, name))?;
    let set = tx.find_set(&ctx.caller.organization, service_id, name).await?;
    let set = set
        .filter(|set| !set.is_deleted)
        .ok_or_else(|| unknown(name.as_str()))?;
    if set.hold.is_none() {
        return Ok(None);
    }
    if !precondition.is_fulfilled(Some(set.revision)) {
        let binding = find_binding(&mut tx, ctx.caller, &service).await?;
        return Err(set_moved(&mut tx, ctx.caller, &service, &binding, Some(set)).await?);
    }
    tx.put_hold(service_id, name, None).await?;
    let before = audit_document(set.revision, Some(&set.pins), true);
    let after = audit_document(set.revision, Some(&set.pins), false);
    let object = audited_set(service_id, name);
    tx.append_audit_event(&ctx.caller.actor(), "lift_hold", object, before, after)
        .await?;
    Ok(Some(commit(tx, ()).await?.change_number))
}
