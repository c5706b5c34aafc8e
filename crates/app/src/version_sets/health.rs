//! The health of services.

use std::sync::Arc;

use forge_domain::ServiceId;
use forge_domain::access::Permission;
use forge_domain::health::{self, CheckedSet, Health};
use forge_domain::service::Service;

use crate::long_prompts::{Looking, PromptsOf};
use crate::services::lookup::find_binding;
use crate::version_sets::{SetView, Uses, read_seen, view};
use crate::{AppError, Ctx, aside, long_prompts};

/// How a service is, and the sets that this was found in.
#[derive(Debug, Clone)]
pub struct ServiceHealth {
    /// What was found.
    pub health: Health,
    /// The sets.
    pub sets: Vec<SetView>,
}

/// Looks at a service and those of its sets that the caller may see.
pub async fn check(ctx: Ctx<'_>, service_id: ServiceId) -> Result<ServiceHealth, AppError> {
    let Ctx { app, caller } = ctx;
    let mut tx = ctx.read(Permission::GetVersionSet).await?;
    let service: Service = caller.find_unchecked(&mut tx, &service_id).await?;
    let binding = find_binding(&mut tx, caller, &service).await?;
    let organization = &caller.organization;
    let sets = read_seen(&mut tx, caller, &service, usize::MAX).await?;
    let (size, sets) = (sets.bytes(), sets.into_rows());
    if sets.is_empty() {
        return Err(AppError::Forbidden(Permission::GetVersionSet.name()));
    }
    let yanked = tx
        .list_yanked(organization, service.agent_id, service.context_graph_id)
        .await?;
    let mut checked = Vec::new();
    let (looking, mut looked_at) = (Looking::reading(), Vec::new());
    for set in &sets {
        let resolved = set.pins.resolve(&binding);
        // Sets of a service mean few different versions.
        let known = looked_at.iter().find(|(of, _)| *of == resolved);
        let long_prompt = if let Some((_, found)) = known {
            *found
        } else {
            let of = PromptsOf {
                organization,
                service: &service,
                resolved,
            };
            let found = long_prompts::look_for(app, &mut tx, of, &looking).await?;
            looked_at.push((resolved, found));
            found
        };
        checked.push(CheckedSet {
            name: set.name.clone(),
            pins: set.pins.clone(),
            hold: set.hold.clone(),
            long_prompt,
        });
    }
    let uses = Uses::of_service(&mut tx, caller, service_id).await?;
    drop(tx);
    let (catalogues, now) = (Arc::clone(&app.catalogues), app.clock.now());
    let look = move || ServiceHealth {
        health: health::check(&binding, &checked, &yanked, &catalogues.models, now),
        sets: sets.into_iter().map(|set| view(set, &binding, &uses)).collect(),
    };
    Ok(aside::run(size, look).await)
}
