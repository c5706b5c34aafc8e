//! What a unit test is made of: a version set that is talked to, a persona, a scenario and metrics.
//!
//! Whoever writes a test, and whoever runs one, must be allowed to talk to the set and to read the rest: otherwise a test
//! would reach what its writer may not. What the caller may not have is answered like what is not there.

use forge_domain::access::Permission;
use forge_domain::metric::Metric;
use forge_domain::service::Service;
use forge_domain::simulation::UnitTestFields;
use forge_domain::version_set::VersionSet;
use forge_domain::{ServiceId, SetName, shortened};
use forge_store::Tx;

use crate::version_sets::set_attributes;
use crate::{AppError, Caller, items};

/// What the parts of a test take, each on its part.
const NEEDED: [Permission; 4] = [
    Permission::CreateConversation,
    Permission::GetPersona,
    Permission::GetScenario,
    Permission::GetMetric,
];

/// Refuses a caller who may use no parts of one kind at all, before anything is looked up.
pub(crate) fn authorize_parts(caller: &Caller) -> Result<(), AppError> {
    NEEDED
        .into_iter()
        .try_for_each(|permission| caller.require_any_grant(permission))
}

pub(super) fn no_target(service: ServiceId, set: &str) -> AppError {
    AppError::NotFound(format!(
        "there is no version set `{}` of a service {service} that you may talk to",
        shortened(set)
    ))
}

/// Returns the service and the set that a test talks to.
///
/// `name` is whatever the caller wrote.
pub(crate) async fn find_target(
    tx: &mut Tx,
    caller: &Caller,
    id: ServiceId,
    name: &str,
) -> Result<(Service, VersionSet), AppError> {
    let missing = || no_target(id, name);
    let set_name: SetName = name.parse().map_err(|_| missing())?;
    let service = tx.find_service(&caller.organization, id).await?;
    let service = service.ok_or_else(missing)?;
    if !caller.may(
        Permission::CreateConversation,
        &set_attributes(&service, &set_name),
    ) {
        return Err(missing());
    }
    let set = tx.find_set(&caller.organization, id, &set_name).await?;
    let set = set.filter(|set| !set.is_deleted).ok_or_else(missing)?;
    Ok((service, set))
}

/// Returns the metrics of a test, in the order of its criteria.
pub(crate) async fn find_metrics(
    tx: &mut Tx,
    caller: &Caller,
    fields: &UnitTestFields,
) -> Result<Vec<Metric>, AppError> {
    let mut metrics = Vec::new();
    for criterion in &fields.success_criterions {
        metrics.push(items::find_named(tx, caller, criterion.metric_id).await?);
    }
    Ok(metrics)
}
