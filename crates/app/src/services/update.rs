//! Changing a service.
//!
//! Another agent or context graph changes what every set of the service means. So it takes what changing each of them
//! takes, and stops where a change of them stops.

use forge_domain::access::Permission;
use forge_domain::asset::AssetId;
use forge_domain::audit::{AuditObject, ObjectKind};
use forge_domain::plan::{
    Effect, HoldEffect, PlannedService, Plans, ServicePlan, ServicePlanInput, Target, plan_service,
};
use forge_domain::revision::RevisionAction;
use forge_domain::service::{Service, ServiceFields, UpdateService};
use forge_domain::version_set::{Binding, VersionSet};
use forge_domain::{ServiceId, SetName};
use forge_store::{Tx, WriteTx};
use serde::{Deserialize, Serialize};

use super::lookup::find_binding;
use super::{audit_document, missing_assets, namesake};
use crate::access::resource::Resource as _;
use crate::names::changed_name;
use crate::simulations::unit_tests::users_of;
use crate::version_sets::promotion::{ChangeOptions, Precondition, write_lifted};
use crate::version_sets::{NewRevision, Uses, append_revision, set_attributes, view};
use crate::{AppError, Caller, Ctx, assets};

/// What came of a change that nothing stood against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceOutcome {
    /// Whether something was written: not for a dry run, nor where everything was so already.
    pub is_applied: bool,
    /// The plan.
    pub plan: ServicePlan,
    /// The organization's change number of the write, if there was one.
    pub change_number: Option<i64>,
}

/// A change as it was planned, with what carrying it out needs.
struct Prepared {
    before: Service,
    after: Service,
    sets: Vec<VersionSet>,
    /// The agent and the graph that the service has.
    binding: Binding,
    /// Those that it would have.
    wanted: Binding,
    planned: PlannedService,
}

/// Changes a service, or only plans to.
///
/// Another agent or graph rebinds every set of it in the same step.
///
/// A change that changes nothing writes nothing.
pub async fn update(
    ctx: Ctx<'_>,
    id: ServiceId,
    update: UpdateService,
    options: &ChangeOptions,
) -> Result<ServiceOutcome, AppError> {
    ctx.caller.require_any_grant(Permission::UpdateService)?;
    if options.is_dry_run {
        let mut tx = ctx.app.store.read().await?;
        let prepared = prepare(ctx, &mut tx, id, update, options.lift_hold).await?;
        check_preconditions(&mut tx, ctx.caller, &prepared, options).await?;
        return Ok(ServiceOutcome {
            is_applied: false,
            plan: prepared.planned.plan,
            change_number: None,
        });
    }
    let mut tx = ctx.app.write(ctx.caller).await?;
    let prepared = prepare(ctx, &mut tx, id, update, options.lift_hold).await?;
    check_preconditions(&mut tx, ctx.caller, &prepared, options).await?;
    let plan = &prepared.planned.plan;
    if !plan.blockers.is_empty() {
        return Err(blocked(plan));
    }
    let mut change_number = None;
    if !plan.is_no_op {
        write(&mut tx, ctx.caller, &prepared, options.message.as_deref()).await?;
        change_number = Some(tx.change_number());
        tx.commit().await?;
    }
    Ok(ServiceOutcome {
        is_applied: change_number.is_some(),
        plan: prepared.planned.plan,
        change_number,
    })
}

/// Says what stands against a plan.
///
/// The contract has a word of its own for a name that is taken.
fn blocked(plan: &ServicePlan) -> AppError {
    if plan.blockers.iter().all(|blocker| blocker.code == "name_taken") {
        return AppError::Conflict(plan.blockers_text());
    }
    AppError::Blocked(Plans::Service(Box::new(plan.clone())))
}

/// Reads what the plan looks at, authorises the caller, and plans.
async fn prepare(
    ctx: Ctx<'_>,
    tx: &mut Tx,
    id: ServiceId,
    update: UpdateService,
    lift_hold: bool,
) -> Result<Prepared, AppError> {
    let Ctx { app, caller } = ctx;
    let now = app.clock.now();
    let organization = &caller.organization;
    let before: Service = caller.find_unchecked(tx, &id).await?;
    let update = UpdateService {
        name: changed_name(&before.name, update.name)?,
        ..update
    };
    let after = update.apply(&before);
    // A grant that holds for the old name only must not give the service a name out of its reach.
    for service in [&before, &after] {
        caller.authorize_on(Permission::UpdateService, service)?;
    }
    caller.require_no_gain(&before.attributes_for(caller), &after.attributes_for(caller))?;
    let sets = tx.list_sets(organization, id, usize::MAX).await?.into_rows();
    let binding = find_binding(tx, caller, &before).await?;
    let new = new_assets(&before, &after);
    if !new.is_empty() {
        authorize_rebind(caller, [&before, &after], &sets, &new)?;
    }
    let missing = missing_assets(tx, caller, &new).await?;
    let wanted = if new.is_empty() || !missing.is_empty() {
        binding.clone()
    } else {
        find_binding(tx, caller, &after).await?
    };
    let begins = after.is_active && !before.is_active;
    let yanked = if new.is_empty() && !begins {
        Vec::new()
    } else {
        tx.list_yanked(organization, after.agent_id, after.context_graph_id)
            .await?
    };
    let unit_tests = if before.is_active && !after.is_active {
        users_of(tx, caller, id, None).await?
    } else {
        Vec::new()
    };
    let namesake = if after.is_active {
        namesake(tx, caller, &after.name, Some(id)).await?
    } else {
        None
    };
    let targets: Vec<(SetName, Target)> = sets.iter().map(target).collect();
    let is_hidden = |name: &&SetName| !caller.may(Permission::GetVersionSet, &set_attributes(&before, name));
    let hidden_sets: Vec<SetName> = targets
        .iter()
        .map(|(name, _)| name)
        .filter(is_hidden)
        .cloned()
        .collect();
    let input = ServicePlanInput {
        service: &before,
        binding: &binding,
        wanted: &wanted,
        missing: &missing,
        yanked: &yanked,
        sets: &targets,
        hidden_sets: &hidden_sets,
        unit_tests: &unit_tests,
        namesake,
        models: &app.catalogues.models,
        now,
    };
    let planned = plan_service(&input, &after, lift_hold);
    Ok(Prepared {
        before,
        after,
        sets,
        binding,
        wanted,
        planned,
    })
}

fn target(set: &VersionSet) -> (SetName, Target) {
    let target = Target {
        revision: set.revision,
        pins: Some(set.pins.clone()),
        hold: set.hold.clone(),
    };
    (set.name.clone(), target)
}

/// Returns the agent and the graph that the service gets, as far as it had others.
fn new_assets(before: &Service, after: &Service) -> Vec<AssetId> {
    let mut new = Vec::new();
    if before.agent_id != after.agent_id {
        new.push(after.agent_id.into());
    }
    if before.context_graph_id != after.context_graph_id {
        new.push(after.context_graph_id.into());
    }
    new
}

/// Refuses a caller who may not change every set of the service, under its old and its new name.
///
/// Nobody may change `edge`, so that nobody need be allowed to.
fn authorize_rebind(
    caller: &Caller,
    names: [&Service; 2],
    sets: &[VersionSet],
    new: &[AssetId],
) -> Result<(), AppError> {
    for set in sets.iter().filter(|set| !set.name.is_edge()) {
        for service in names {
            caller.authorize(Permission::UpdateVersionSet, &set_attributes(service, &set.name))?;
        }
    }
    new.iter()
        .try_for_each(|id| assets::authorize_some_read(caller, id.kind()))
}

/// Holds the service and the plan against what the caller saw before.
///
/// A service has no revision: a condition is about that of its `release`, which is what runtimes get, and takes the
/// permission to see it.
async fn check_preconditions(
    tx: &mut Tx,
    caller: &Caller,
    prepared: &Prepared,
    options: &ChangeOptions,
) -> Result<(), AppError> {
    if options.precondition != Precondition::None {
        let release = SetName::release();
        let set_attributes = set_attributes(&prepared.before, &release);
        caller.authorize(Permission::GetVersionSet, &set_attributes)?;
        let set = prepared.sets.iter().find(|set| set.name == release);
        if !options.precondition.is_fulfilled(set.map(|set| set.revision)) {
            let uses = Uses::of_service(tx, caller, prepared.before.id).await?;
            let view = set.map(|set| Box::new(view(set.clone(), &prepared.binding, &uses)));
            return Err(AppError::PreconditionFailed(view));
        }
    }
    let plan = &prepared.planned.plan;
    let has_moved = |digest: &String| *digest != plan.digest;
    if options.plan_digest.as_ref().is_some_and(has_moved) {
        return Err(AppError::PlanMoved(Plans::Service(Box::new(plan.clone()))));
    }
    Ok(())
}

/// Writes a plan that nothing stands against.
async fn write(
    tx: &mut WriteTx,
    caller: &Caller,
    prepared: &Prepared,
    message: Option<&str>,
) -> Result<(), AppError> {
    let Prepared {
        before,
        after,
        sets,
        planned,
        ..
    } = prepared;
    let (id, new) = (before.id, ServiceFields::from(after));
    tx.update_service(id, &new, &caller.user).await?;
    if !planned.effects.is_empty() {
        for (set, effect) in sets.iter().zip(&planned.effects) {
            rebind(tx, caller, prepared, set, effect, message).await?;
        }
        tx.rebind_deleted_sets(id, after.agent_id, after.context_graph_id)
            .await?;
    }
    let (old, new) = (audit_document(&before.into()), audit_document(&new));
    tx.append_audit_event(
        &caller.actor(),
        "update",
        AuditObject::new(ObjectKind::Service, id),
        old,
        new,
    )
    .await?;
    Ok(())
}

/// Appends a revision to a set, so that history says which agent and graph its numbers mean, and lifts its hold if that
/// is part of the plan.
async fn rebind(
    tx: &mut WriteTx,
    caller: &Caller,
    prepared: &Prepared,
    set: &VersionSet,
    effect: &Effect,
    message: Option<&str>,
) -> Result<(), AppError> {
    let id = prepared.before.id;
    let new = NewRevision {
        name: &set.name,
        previous: set.revision,
        action: RevisionAction::Rebind,
        pins: Some(set.pins.clone()),
        agent_id: prepared.after.agent_id,
        context_graph_id: prepared.after.context_graph_id,
        binding: &prepared.wanted,
        source: None,
        restored_revision: None,
        message,
    };
    let revision = append_revision(tx, caller, id, new).await?;
    if effect.hold == HoldEffect::Lift {
        write_lifted(tx, caller, id, set, revision).await?;
    }
    Ok(())
}
