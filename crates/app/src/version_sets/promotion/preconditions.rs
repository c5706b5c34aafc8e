//! Holding what a call is about against what its caller saw before.

use forge_domain::access::Permission;
use forge_domain::fault::Fault;
use forge_domain::plan::{Plan, Plans};
use forge_domain::service::Service;
use forge_domain::size::is_within;
use forge_domain::version_set::{Binding, VersionSet};
use forge_store::Tx;

use super::options::ChangeOptions;
use super::planned::PlannedBatch;
use crate::version_sets::{Uses, set_attributes, view};
use crate::{AppError, Caller};

/// How large the plans of one call may be together, in bytes of JSON.
const MOST_BYTES: u64 = 1024 * 1024;

/// Holds the sets and the plans against what the caller saw before.
pub(super) async fn check_preconditions(
    tx: &mut Tx,
    caller: &Caller,
    planned: &PlannedBatch,
    options: &ChangeOptions,
) -> Result<(), AppError> {
    for loaded in &planned.loaded {
        if !options.precondition.is_fulfilled(loaded.live_revision()) {
            let (service, binding) = (&loaded.service, &loaded.binding);
            return Err(set_moved(tx, caller, service, binding, loaded.live_set()).await?);
        }
    }
    if let Plans::Many(plans) = &planned.plans {
        refuse_large(plans)?;
    }
    let has_moved = |seen: &String| *seen != planned.plans.digest();
    if options.plan_digest.as_ref().is_some_and(has_moved) {
        return Err(AppError::PlanMoved(planned.plans.clone()));
    }
    Ok(())
}

/// Says that a set is not as the caller's condition says, and what it is like, if the caller may see it.
pub(super) async fn set_moved(
    tx: &mut Tx,
    caller: &Caller,
    service: &Service,
    binding: &Binding,
    set: Option<&VersionSet>,
) -> Result<AppError, AppError> {
    let is_visible =
        |set: &&VersionSet| caller.may(Permission::GetVersionSet, &set_attributes(service, &set.name));
    let uses = Uses::of_service(tx, caller, service.id).await?;
    let view = set
        .filter(is_visible)
        .map(|set| Box::new(view(set.clone(), binding, &uses)));
    Ok(AppError::PreconditionFailed(view))
}

/// Refuses plans that are too large to be told together.
fn refuse_large(plans: &[Plan]) -> Result<(), AppError> {
    if is_within(&plans, MOST_BYTES) {
        return Ok(());
    }
    let msg = format!(
        "the plans of this call take more than {MOST_BYTES} bytes together; promote fewer services at once, or each set \
         by itself"
    );
    let loc = vec!["promotions".into()];
    Err(AppError::Invalid(vec![Fault::new(loc, "too_long", msg)]))
}
