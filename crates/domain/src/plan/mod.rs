//! Plans: what a change of a version set would do, and everything that stands against it.
//!
//! [`plan`] is the one function behind every change of a set, whichever way it comes in. It looks at a [`PlanInput`],
//! which the caller read in one transaction, and returns the plan together with its [`Effect`]. A dry run shows the
//! plan; the real call builds the same plan in the transaction that then writes the effect.

mod changes;
mod digest;
mod effect;
mod finding;
mod input;
mod outcome;
mod plans;
mod rebind;
mod request;
mod rollback;
mod rule;
mod service;
mod wanted;
mod warning;

pub use changes::{FieldChange, pin_changes};
pub use digest::joint_digest;
pub use effect::{Effect, HoldEffect};
pub use finding::Finding;
pub use input::{Change, PinnedRevision, PlanInput, Target};
pub use outcome::{Plan, Planned, SetRevision};
pub use plans::Plans;
pub use request::{Promote, Rollback};
pub use rollback::{Past, choose_restored};
pub use rule::{RULES, Rule, Severity};
pub use service::{Namesake, PlannedService, ServicePlan, ServicePlanInput, plan_service};
pub use warning::{RETIRES_SOON, Warning};

use finding::told_of_each_rule;
use wanted::Wanted;

use crate::refusal::Refusal;
use crate::revision::RevisionAction;
use crate::simulation::check_unused;
use crate::version_set::{Hold, SetName, check_delete, check_upsert};
use crate::yank;

/// Plans a change.
///
/// With `lift_hold`, a hold on the set does not stand in the way and is gone afterwards.
pub fn plan(input: &PlanInput<'_>, change: Change, lift_hold: bool) -> Planned {
    let (current, hold) = (input.current_pins(), input.hold());
    let is_new = current.is_none();
    let of_target = check_target(input, &change, is_new, hold, lift_hold);
    let wanted = wanted(input, change, is_new);
    let refusals = of_target.iter().chain(&wanted.refusals);
    let of_result = warnings(input, &wanted);
    let warnings = wanted.warnings.iter().chain(&of_result);
    let is_unchanged = wanted.is_already(current);
    let hold_effect = HoldEffect::of(wanted.action, hold, lift_hold);
    let yanked = yank::meant(input.binding, input.yanked, [current, wanted.pins.as_ref()]);
    let plan = Plan {
        action: wanted.action,
        service_id: input.service_id,
        target: SetRevision {
            name: input.name.to_owned(),
            revision: input.target.filter(|_| !is_new).map(|target| target.revision),
        },
        resolved: wanted.pins.as_ref().map(|pins| pins.resolve(input.binding)),
        changes: changes(input, &wanted, hold_effect),
        blockers: refusals.map(Finding::from).collect(),
        warnings: warnings.map(Finding::from).collect(),
        is_no_op: is_unchanged && hold_effect == HoldEffect::Keep,
        source: wanted.source,
        digest: String::new(),
    };
    let effect = Effect {
        revision: (!is_unchanged).then_some(wanted.pins),
        source: plan.copied_from(),
        restored_revision: wanted.restored_revision,
        hold: hold_effect,
    };
    let digest = digest::of_plan(&plan, input, &yanked, wanted.freeze, lift_hold);
    Planned {
        plan: Plan {
            digest,
            blockers: told_of_each_rule(plan.blockers),
            warnings: told_of_each_rule(plan.warnings),
            ..plan
        },
        effect,
    }
}

/// Returns what to think twice about in what the set would pin, whatever it is wanted for.
fn warnings(input: &PlanInput<'_>, wanted: &Wanted) -> Vec<Warning> {
    let (action, pins) = (wanted.action, wanted.pins.as_ref());
    if matches!(action, RevisionAction::Delete | RevisionAction::Rebind) {
        return Vec::new();
    }
    let mut warnings = warning::of_pins(input, action, pins);
    warnings.extend(warning::of_promotion(input.name, action, wanted.source.as_ref()));
    warnings
}

/// Returns the fields that would change.
fn changes(input: &PlanInput<'_>, wanted: &Wanted, hold_effect: HoldEffect) -> Vec<FieldChange> {
    let mut changes = wanted.rebound.clone();
    let (current, is_deletion) = (input.current_pins(), wanted.action == RevisionAction::Delete);
    changes.extend(changes::of_pins(current, wanted.shown.as_ref(), is_deletion));
    changes.extend(changes::of_hold(input.hold(), hold_effect));
    changes
}

/// Returns what a change wants the set to pin, and what stands against that.
fn wanted(input: &PlanInput<'_>, change: Change, is_new: bool) -> Wanted {
    match change {
        Change::Upsert(requested) => wanted::by_upsert(input, requested, is_new),
        Change::Promote {
            source,
            source_revision,
            content,
            freeze,
        } => wanted::by_promote(input, source, source_revision, content, freeze),
        Change::Rollback { restored, freeze } => wanted::by_rollback(input, restored, freeze),
        Change::Rebind(from) => rebind::wanted(input, &from),
        Change::Delete => Wanted::new(RevisionAction::Delete),
    }
}

/// Returns what stands against changing the set at all.
fn check_target(
    input: &PlanInput<'_>,
    change: &Change,
    is_new: bool,
    hold: Option<&Hold>,
    lift_hold: bool,
) -> Vec<Refusal> {
    let Ok(name) = input.name.parse::<SetName>() else {
        return vec![Refusal::BadName(input.name.to_owned())];
    };
    let mut refusals = match change {
        Change::Delete => {
            let mut refusals = check_delete(&name);
            refusals.extend(check_unused(format!("version set `{name}`"), input.unit_tests));
            refusals
        }
        // The pins stay as they are, those of `edge` too.
        Change::Rebind(_) => Vec::new(),
        _ => check_upsert(&name, is_new, input.sets, input.hidden_sets),
    };
    // A rollback goes back, which a hold does not forbid; to go forward again is judged where it is chosen.
    let is_rollback = matches!(change, Change::Rollback { .. });
    if let Some(hold) = hold.filter(|_| !lift_hold && !is_rollback) {
        refusals.push(Refusal::Held {
            set: name.to_string(),
            reason: hold.reason.clone(),
        });
    }
    // What floats moves with every new version: the hold that a rollback leaves would hold nothing.
    if let Change::Rollback {
        restored: Ok(content),
        freeze: false,
    } = change
        && !lift_hold
        && content.pins.is_floating()
    {
        refusals.push(Refusal::FloatingHold {
            set: name.to_string(),
        });
    }
    refusals
}

#[cfg(test)]
mod tests;
