//! Holds on sets, and lifting them.

use forge_domain::access::Permission;
use forge_domain::service::Service;
use forge_domain::version_set::VersionSet;
use forge_domain::{ServiceId, SetName};
use forge_store::WriteTx;

use super::options::Precondition;
use super::preconditions::set_moved;
use crate::services::lookup::find_binding;
use crate::version_sets::{audit_document, audited_set, set_attributes, unknown};
use crate::{AppError, Caller, Ctx, commit};

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
        return Err(set_moved(&mut tx, ctx.caller, &service, &binding, Some(&set)).await?);
    }
    write_lifted(&mut tx, ctx.caller, service_id, &set, set.revision).await?;
    Ok(Some(commit(tx, ()).await?.change_number))
}

/// Lifts the hold on a set by itself: what the set pins stays as it is.
///
/// The set may have got a new `revision` in the same write, which the audit log names.
pub(crate) async fn write_lifted(
    tx: &mut WriteTx,
    caller: &Caller,
    service: ServiceId,
    set: &VersionSet,
    revision: i64,
) -> Result<(), AppError> {
    tx.put_hold(service, &set.name, None).await?;
    let before = audit_document(set.revision, Some(&set.pins), true);
    let after = audit_document(revision, Some(&set.pins), false);
    let object = audited_set(service, &set.name);
    tx.append_audit_event(&caller.actor(), "lift_hold", object, before, after)
        .await?;
    Ok(())
}
