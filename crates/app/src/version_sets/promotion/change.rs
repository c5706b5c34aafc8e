//! The one way in which a set is changed.

use std::sync::Arc;

use forge_domain::access::Permission;
use forge_domain::model::ModelPreferences;
use forge_domain::plan::{self, Change, HoldEffect, Plan, PlanInput, Planned, Target, choose_restored};
use forge_domain::prompt::LongPrompt;
use forge_domain::revision::RevisionAction;
use forge_domain::service::Service;
use forge_domain::simulation::UnitTestRef;
use forge_domain::size::is_within;
use forge_domain::version_set::{Binding, Hold, RequestedPins, ResolvedPins};
use forge_domain::yank::YankedVersion;
use forge_domain::{Pins, ServiceId, SetName, Timestamp};
use forge_store::{Revision, Tx, VersionSet, WriteTx};
use serde_json::{Value, json};

use super::content::content;
use super::options::{ChangeOptions, ChangeOutcome, Plans};
use super::{Promote, Rollback};
use crate::long_prompts::{self, Looking};
use crate::services::lookup::find_bound;
use crate::simulations::unit_tests::users_of;
use crate::version_sets::{Uses, audited_set, set_attributes, unknown, view};
use crate::{App, AppError, Caller, Catalogues, Ctx, aside};

/// A change that a caller asks for.
#[derive(Debug, Clone)]
pub(super) enum ChangeRequest {
    Upsert(RequestedPins),
    Promote(Promote),
    Rollback(Rollback),
    Delete,
}

impl ChangeRequest {
    /// Refuses a caller who could make the change nowhere at all, before anything is looked up.
    pub(super) fn require_any_grant(&self, caller: &Caller) -> Result<(), AppError> {
        match self {
            Self::Delete => caller.require_any_grant(Permission::DeleteVersionSet),
            Self::Rollback(_) => caller.require_any_grant(Permission::UpdateVersionSet),
            Self::Upsert(_) | Self::Promote(_) => caller
                .require_any_grant(Permission::CreateVersionSet)
                .or(caller.require_any_grant(Permission::UpdateVersionSet)),
        }
    }

    /// Returns the sets that the same call may create beside this one.
    fn beside(&self) -> &[SetName] {
        match self {
            Self::Promote(promote) => &promote.beside,
            Self::Upsert(_) | Self::Rollback(_) | Self::Delete => &[],
        }
    }

    /// The permission that the change of a set takes.
    fn permission(&self, is_new: bool) -> Permission {
        match self {
            Self::Delete => Permission::DeleteVersionSet,
            Self::Upsert(_) | Self::Promote(_) if is_new => Permission::CreateVersionSet,
            _ => Permission::UpdateVersionSet,
        }
    }
}

/// Under which conditions a change is planned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conditions<'a> {
    /// Whether a hold on the set does not stand in the way and is gone afterwards.
    pub(super) lift_hold: bool,
    /// What time it is.
    pub(super) now: Timestamp,
    /// Whether others wait for this change, because it is about to be written.
    pub(super) is_writing: bool,
    /// How the call looks at prompts.
    pub(super) looking: &'a Looking,
}

/// Everything that a plan looks at beside what time it is, as it was read.
///
/// The same again comes to the same plan.
#[derive(Debug, PartialEq)]
pub(super) struct Gathered {
    service: Service,
    binding: Binding,
    name: String,
    set: Option<VersionSet>,
    target: Option<Target>,
    change: Change,
    yanked: Vec<YankedVersion>,
    sets: Vec<SetName>,
    hidden_sets: Vec<SetName>,
    unit_tests: Vec<UnitTestRef>,
    lift_hold: bool,
}

impl Gathered {
    fn input<'a>(
        &'a self,
        catalogues: &'a Catalogues,
        long_prompt: Option<LongPrompt>,
        now: Timestamp,
    ) -> PlanInput<'a> {
        PlanInput {
            service_id: self.service.id,
            service_name: &self.service.name,
            binding: &self.binding,
            yanked: &self.yanked,
            name: &self.name,
            target: self.target.as_ref(),
            sets: &self.sets,
            hidden_sets: &self.hidden_sets,
            unit_tests: &self.unit_tests,
            models: &catalogues.models,
            long_prompt,
            now,
        }
    }

    /// Returns how large what is planned is, as far as that tells whether it takes long.
    fn size(&self) -> usize {
        let old = self.set.as_ref().map(|set| &set.pins.model_preferences);
        let new = match &self.change {
            Change::Upsert(requested) => Some(&requested.llm_model_preferences),
            Change::Promote {
                content: Some(content),
                ..
            }
            | Change::Rollback {
                restored: Ok(content),
                ..
            } => Some(&content.pins.model_preferences),
            _ => None,
        };
        if old.into_iter().chain(new).any(are_large) {
            usize::MAX
        } else {
            0
        }
    }
}

fn are_large(preferences: &ModelPreferences) -> bool {
    !is_within(preferences, aside::LARGE as u64)
}

/// A change as it was planned, with what carrying it out needs.
pub(super) struct Prepared {
    gathered: Gathered,
    pub(super) planned: Planned,
}

impl Prepared {
    /// Returns the latest revision of the set, if it is there.
    pub(super) fn live_revision(&self) -> Option<i64> {
        self.gathered
            .set
            .as_ref()
            .filter(|set| !set.is_deleted)
            .map(|set| set.revision)
    }
}

/// Changes a set, or only plans to.
pub(super) async fn change(
    ctx: Ctx<'_>,
    service_id: ServiceId,
    name: &str,
    request: ChangeRequest,
    options: &ChangeOptions,
) -> Result<ChangeOutcome, AppError> {
    request.require_any_grant(ctx.caller)?;
    let is_large =
        matches!(&request, ChangeRequest::Upsert(requested) if are_large(&requested.llm_model_preferences));
    let mut foreseen = None;
    if options.is_dry_run || is_large {
        let mut tx = ctx.app.store.read().await?;
        let conditions = Conditions {
            lift_hold: options.lift_hold,
            now: ctx.app.clock.now(),
            is_writing: false,
            looking: &Looking::reading(),
        };
        // On the heap, for what is planned is large.
        let prepared = Box::pin(prepare(ctx, &mut tx, service_id, name, &request, conditions)).await?;
        let prepared = Box::new(prepared);
        check_preconditions(&mut tx, ctx.caller, &prepared, options).await?;
        if options.is_dry_run {
            let revision = prepared.live_revision();
            return Ok(ChangeOutcome {
                is_applied: false,
                revision,
                plan: prepared.planned.plan,
                change_number: None,
            });
        }
        // What takes long to plan is planned before others have to wait for it.
        if prepared.planned.plan.is_blocked() {
            return Err(AppError::Blocked(Plans::One(Box::new(prepared.planned.plan))));
        }
        foreseen = Some(prepared);
    }
    let mut is_second = false;
    loop {
        let looking = Looking::writing();
        let conditions = Conditions {
            lift_hold: options.lift_hold,
            now: ctx.app.clock.now(),
            is_writing: true,
            looking: &looking,
        };
        let mut tx = ctx.app.write(ctx.caller).await?;
        let gathered = gather(&mut tx, ctx.caller, service_id, name, &request, options.lift_hold).await?;
        // What was foreseen holds if nothing that it was planned on has changed.
        let prepared = match foreseen.take() {
            Some(foreseen) if foreseen.gathered == gathered => foreseen,
            _ => Box::new(Box::pin(plan_gathered(ctx, &mut tx, gathered, conditions)).await?),
        };
        // Others wait for who writes, and need not wait for large versions to be read.
        if !is_second && looking.has_put_off() {
            drop(tx);
            looking.catch_up(ctx.app).await?;
            is_second = true;
            continue;
        }
        let outcome = Box::pin(carry_out(&mut tx, ctx.caller, options, *prepared)).await?;
        if outcome.is_applied {
            tx.commit().await?;
        }
        return Ok(outcome);
    }
}

/// Writes a change that was planned in a write transaction, unless something stands against it or all is so already.
async fn carry_out(
    tx: &mut WriteTx,
    caller: &Caller,
    options: &ChangeOptions,
    prepared: Prepared,
) -> Result<ChangeOutcome, AppError> {
    check_preconditions(tx, caller, &prepared, options).await?;
    if prepared.planned.plan.is_blocked() {
        return Err(AppError::Blocked(Plans::One(Box::new(prepared.planned.plan))));
    }
    if prepared.planned.plan.is_no_op {
        return Ok(ChangeOutcome {
            is_applied: false,
            revision: prepared.live_revision(),
            plan: prepared.planned.plan,
            change_number: None,
        });
    }
    let revision = write(tx, caller, &prepared, options.message.as_deref()).await?;
    Ok(ChangeOutcome {
        is_applied: true,
        revision: Some(revision),
        plan: prepared.planned.plan,
        change_number: Some(tx.change_number()),
    })
}

/// Reads what the plan looks at, authorises the caller, and plans.
pub(super) async fn prepare(
    ctx: Ctx<'_>,
    tx: &mut Tx,
    service_id: ServiceId,
    name: &str,
    request: &ChangeRequest,
    conditions: Conditions<'_>,
) -> Result<Prepared, AppError> {
    let gathered = gather(tx, ctx.caller, service_id, name, request, conditions.lift_hold).await?;
    plan_gathered(ctx, tx, gathered, conditions).await
}

/// Reads what the plan looks at, and authorises the caller.
async fn gather(
    tx: &mut Tx,
    caller: &Caller,
    service_id: ServiceId,
    name: &str,
    request: &ChangeRequest,
    lift_hold: bool,
) -> Result<Gathered, AppError> {
    let organization = &caller.organization;
    let (service, binding) = find_bound(tx, caller, service_id).await?;
    let set_name: Option<SetName> = name.parse().ok();
    let (set, source) = find_sets(tx, caller, service_id, set_name.as_ref(), request).await?;
    let is_new = set.as_ref().is_none_or(|set| set.is_deleted);
    // A name that is none has no set, and so no attributes of one: only who may change any set of the service may learn
    // what is wrong with it.
    let attributes = match &set_name {
        Some(set_name) => set_attributes(&service, set_name),
        None => crate::services::lookup::attributes(&service),
    };
    caller.authorize(request.permission(is_new), &attributes)?;
    if is_new && matches!(request, ChangeRequest::Delete | ChangeRequest::Rollback(_)) {
        return Err(unknown(name));
    }
    let found = (set.as_ref(), source.as_ref());
    let change = load_change(tx, caller, &service, found, request, (lift_hold, &binding)).await?;
    let yanked = tx
        .list_yanked(organization, service.agent_id, service.context_graph_id)
        .await?;
    let sets = if is_new {
        let mut names = tx.list_set_names(organization, service_id).await?;
        for name in request.beside() {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    } else {
        Vec::new()
    };
    let is_hidden = |name: &&SetName| !caller.may(Permission::GetVersionSet, &set_attributes(&service, name));
    let hidden_sets: Vec<SetName> = sets.iter().filter(is_hidden).cloned().collect();
    let unit_tests = match (request, &set_name) {
        (ChangeRequest::Delete, Some(set_name)) => users_of(tx, caller, service_id, Some(set_name)).await?,
        _ => Vec::new(),
    };
    let target = set.as_ref().map(|set| Target {
        revision: set.revision,
        pins: (!set.is_deleted).then(|| set.pins.clone()),
        hold: set.hold.clone(),
    });
    Ok(Gathered {
        service,
        binding,
        name: name.to_owned(),
        set,
        target,
        change,
        yanked,
        sets,
        hidden_sets,
        unit_tests,
        lift_hold,
    })
}

/// Plans what was gathered.
async fn plan_gathered(
    ctx: Ctx<'_>,
    tx: &mut Tx,
    gathered: Gathered,
    conditions: Conditions<'_>,
) -> Result<Prepared, AppError> {
    let Ctx { app, caller } = ctx;
    let prepared = plan_with(app, gathered, None, conditions).await;
    // What the set would mean is known only now.
    if let Some(resolved) = prepared.planned.plan.resolved
        && let service = &prepared.gathered.service
        && let Some(found) = long_prompts::find(
            app,
            tx,
            (&caller.organization, service, resolved),
            conditions.looking,
        )
        .await?
    {
        return Ok(plan_with(app, prepared.gathered, Some(found), conditions).await);
    }
    Ok(prepared)
}

/// Plans what was gathered; of what is large, on a thread of its own.
async fn plan_with(
    app: &App,
    gathered: Gathered,
    long_prompt: Option<LongPrompt>,
    conditions: Conditions<'_>,
) -> Prepared {
    let Conditions {
        lift_hold,
        now,
        is_writing,
        ..
    } = conditions;
    let (size, catalogues) = (gathered.size(), Arc::clone(&app.catalogues));
    let work = move || {
        let input = gathered.input(&catalogues, long_prompt, now);
        let planned = plan::plan(&input, gathered.change.clone(), lift_hold);
        Prepared { gathered, planned }
    };
    if is_writing {
        aside::run_first(size, work).await
    } else {
        aside::run(size, work).await
    }
}

/// Returns the set that a request changes and the one that it copies, if it copies one.
///
/// Nothing of the latter may be told before the caller is authorised to read it.
async fn find_sets(
    tx: &mut Tx,
    caller: &Caller,
    service_id: ServiceId,
    target: Option<&SetName>,
    request: &ChangeRequest,
) -> Result<(Option<VersionSet>, Option<VersionSet>), AppError> {
    let source: Option<SetName> = match request {
        ChangeRequest::Promote(promote) => promote.source.parse().ok(),
        _ => None,
    };
    let Some(name) = target.or(source.as_ref()) else {
        return Ok((None, None));
    };
    let names = [name, source.as_ref().unwrap_or(name)];
    let found = tx.find_two_sets(&caller.organization, service_id, names).await?;
    let pick = |name: Option<&SetName>| found.iter().find(|set| Some(&set.name) == name).cloned();
    Ok((pick(target), pick(source.as_ref())))
}

/// Looks up what a request refers to.
async fn load_change(
    tx: &mut Tx,
    caller: &Caller,
    service: &Service,
    (set, found): (Option<&VersionSet>, Option<&VersionSet>),
    request: &ChangeRequest,
    (lift_hold, binding): (bool, &Binding),
) -> Result<Change, AppError> {
    let organization = &caller.organization;
    match request {
        ChangeRequest::Upsert(requested) => Ok(Change::Upsert(requested.clone())),
        ChangeRequest::Delete => Ok(Change::Delete),
        ChangeRequest::Promote(Promote {
            source,
            source_revision,
            freeze,
            ..
        }) => {
            if let Ok(name) = source.parse() {
                caller.authorize(Permission::GetVersionSet, &set_attributes(service, &name))?;
            }
            let content = match found {
                Some(found) if source_revision.is_some() || !found.is_deleted => {
                    content(tx, organization, service.id, found, *source_revision, binding).await?
                }
                _ => None,
            };
            Ok(Change::Promote {
                source: source.clone(),
                source_revision: *source_revision,
                content,
                freeze: *freeze,
            })
        }
        ChangeRequest::Rollback(Rollback { to_revision, freeze }) => {
            let set = set.ok_or_else(|| AppError::internal("a set to roll back was not looked up"))?;
            let past = tx.list_past(organization, service.id, &set.name).await?;
            let restored = match choose_restored(set.name.as_str(), &past, *to_revision, lift_hold) {
                Ok(number) => {
                    let found = content(tx, organization, service.id, set, Some(number), binding).await?;
                    Ok(found.ok_or_else(|| AppError::internal("a revision to restore is missing"))?)
                }
                Err(refusal) => Err(refusal),
            };
            Ok(Change::Rollback {
                restored,
                freeze: *freeze,
            })
        }
    }
}

/// Holds the set and the plan against what the caller saw before.
pub(super) async fn check_preconditions(
    tx: &mut Tx,
    caller: &Caller,
    prepared: &Prepared,
    options: &ChangeOptions,
) -> Result<(), AppError> {
    let gathered = &prepared.gathered;
    if !options.precondition.is_fulfilled(prepared.live_revision()) {
        let set = gathered.set.clone();
        return Err(set_moved(tx, caller, &gathered.service, &gathered.binding, set).await?);
    }
    let plan = &prepared.planned.plan;
    if options
        .plan_digest
        .as_ref()
        .is_some_and(|digest| *digest != plan.digest)
    {
        return Err(AppError::PlanMoved(Plans::One(Box::new(plan.clone()))));
    }
    Ok(())
}

/// Says that a set is not as the caller's condition says, and what it is like, if the caller may see it.
pub(super) async fn set_moved(
    tx: &mut Tx,
    caller: &Caller,
    service: &Service,
    binding: &Binding,
    set: Option<VersionSet>,
) -> Result<AppError, AppError> {
    let is_visible = |set: &VersionSet| {
        let attributes = set_attributes(service, &set.name);
        !set.is_deleted && caller.may(Permission::GetVersionSet, &attributes)
    };
    let uses = Uses::of_service(tx, caller, service.id).await?;
    let view = set
        .filter(is_visible)
        .map(|set| Box::new(view(set, binding, &uses)));
    Ok(AppError::PreconditionFailed(view))
}

/// Writes the effect of a plan that nothing stands against, and returns the set's latest revision afterwards.
pub(super) async fn write(
    tx: &mut WriteTx,
    caller: &Caller,
    prepared: &Prepared,
    message: Option<&str>,
) -> Result<i64, AppError> {
    let Gathered {
        service,
        binding,
        set,
        ..
    } = &prepared.gathered;
    let Planned { plan, effect } = &prepared.planned;
    let name: SetName = plan
        .target
        .name
        .parse()
        .map_err(|_| AppError::internal("a set without a name was planned"))?;
    let before = set.as_ref().filter(|set| !set.is_deleted);
    let mut revision = set.as_ref().map_or(0, |set| set.revision);
    if let Some(pins) = &effect.revision {
        revision += 1;
        let new = Revision {
            name: name.clone(),
            revision,
            action: plan.action,
            agent_id: service.agent_id,
            context_graph_id: service.context_graph_id,
            // A deleted set means nothing any more.
            resolved: pins
                .as_ref()
                .map_or(ResolvedPins::NOTHING, |pins| pins.resolve(binding)),
            pins: pins.clone().unwrap_or_default(),
            source: effect.source.clone(),
            restored_revision: effect.restored_revision,
            message: message.map(str::to_owned),
            actor: caller.actor(),
            change_number: tx.change_number(),
            created_at: tx.changed_at(),
        };
        tx.append_revision(service.id, &new).await?;
    }
    let was_held = before.is_some_and(|set| set.hold.is_some());
    match effect.hold {
        HoldEffect::Keep => {}
        HoldEffect::Lift => tx.put_hold(service.id, &name, None).await?,
        HoldEffect::Place => {
            let (since, by) = (tx.changed_at(), caller.user.clone());
            let hold = Hold {
                reason: message.map(str::to_owned),
                since,
                by,
            };
            tx.put_hold(service.id, &name, Some(&hold)).await?;
        }
    }
    let is_held = match effect.hold {
        HoldEffect::Keep => was_held,
        HoldEffect::Lift => false,
        HoldEffect::Place => true,
    };
    let old = before.map_or(Value::Null, |set| {
        audit_document(set.revision, Some(&set.pins), was_held)
    });
    let new = match &effect.revision {
        Some(None) => Value::Null,
        Some(Some(pins)) => with_origin(audit_document(revision, Some(pins), is_held), plan),
        None => audit_document(revision, before.map(|set| &set.pins), is_held),
    };
    let action = if effect.revision.is_some() {
        plan.action.as_str()
    } else {
        "lift_hold"
    };
    tx.append_audit_event(&caller.actor(), action, audited_set(service.id, &name), old, new)
        .await?;
    Ok(revision)
}

pub(crate) fn audit_document(revision: i64, pins: Option<&Pins>, is_held: bool) -> Value {
    json!({"revision": revision, "pins": pins, "is_held": is_held})
}

/// Adds to an audit document where the pins came from.
fn with_origin(mut document: Value, plan: &Plan) -> Value {
    if matches!(plan.action, RevisionAction::Promote | RevisionAction::Rollback) {
        document["source"] = json!(plan.source);
    }
    document
}
