//! The health of services.

use forge_domain::ServiceId;
use forge_domain::access::Permission;
use forge_domain::health::{self, CheckedSet, Health};

use crate::services::lookup::{find, find_binding};
use crate::version_sets::{SetView, Uses, set_attributes, view};
use crate::{App, AppError, Caller, long_prompts};

/// Of how many different pairs of versions it is looked at whether their prompts fit.
const MOST_LOOKED_AT: usize = 20;

/// How a service is, and the sets that this was found in.
#[derive(Debug, Clone)]
pub struct ServiceHealth {
    /// What was found.
    pub health: Health,
    /// The sets.
    pub sets: Vec<SetView>,
}

/// Looks at a service and those of its sets that the caller may see.
pub async fn check(app: &App, caller: &Caller, service_id: ServiceId) -> Result<ServiceHealth, AppError> {
    caller.authorize_some(Permission::GetVersionSet)?;
    let mut tx = app.store.read().await?;
    let service = find(&mut tx, caller, service_id).await?;
    let binding = find_binding(&mut tx, caller, &service).await?;
    let organization = &caller.organization;
    let mut sets = tx.list_sets(organization, service_id).await?.into_rows();
    sets.retain(|set| caller.may(Permission::GetVersionSet, &set_attributes(&service, &set.name)));
    if sets.is_empty() {
        return Err(AppError::Forbidden(Permission::GetVersionSet.name()));
    }
    let yanked = tx
        .list_yanked(organization, service.agent_id, service.context_graph_id)
        .await?;
    let mut checked = Vec::new();
    // Sets of a service mean few different versions.
    let mut looked_at = Vec::new();
    for set in &sets {
        let resolved = set.pins.resolve(&binding);
        let known = looked_at.iter().find(|(of, _)| *of == resolved);
        let long_prompt = match known {
            Some((_, found)) => *found,
            None if looked_at.len() < MOST_LOOKED_AT => {
                let found = long_prompts::find(app, &mut tx, organization, &service, resolved).await?;
                looked_at.push((resolved, found));
                found
            }
            None => None,
        };
        checked.push(CheckedSet {
            name: set.name.clone(),
            pins: set.pins.clone(),
            hold: set.hold.clone(),
            long_prompt,
        });
    }
    let health = health::check(
        &binding,
        &checked,
        &yanked,
        &app.catalogues.models,
        app.clock.now(),
    );
    let uses = Uses::of_service(&mut tx, caller, service_id).await?;
    let sets = sets.into_iter().map(|set| view(set, &binding, &uses)).collect();
    Ok(ServiceHealth { health, sets })
}
