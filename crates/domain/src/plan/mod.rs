//! Plans: what a change of a version set would do, and everything that stands against it.
//!
//! [`plan`] is the one function behind every change of a set, whichever way it comes in. It looks at a [`PlanInput`],
//! which the caller read in one transaction, and returns the plan together with its [`Effect`]. A dry run shows the
//! plan; the real call builds the same plan in the transaction that then writes the effect.

mod changes;
mod describe;
mod rebind;
mod rollback;
mod rule;
mod service;
mod warning;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub use changes::{FieldChange, pin_changes};
pub use rollback::{Past, choose_restored};
pub use rule::{RULES, Rule, Severity};
pub use service::{Namesake, PlannedService, ServicePlan, ServicePlanInput, plan_service};
pub use warning::{RETIRES_SOON, Warning};

use describe::told_of_each_rule;

use crate::audit::canonical_json;
use crate::model::ModelCatalogue;
use crate::number::integral_numbers;
use crate::prompt::LongPrompt;
use crate::refusal::{MOST_TOLD, Refusal};
use crate::revision::RevisionAction;
use crate::simulation::{UnitTestRef, check_unused};
use crate::time::Timestamp;
use crate::version::VersionNumber;
use crate::version_set::{
    Binding, Bound, Hold, Pins, RequestedPins, ResolvedPins, SetName, check_delete, check_models,
    check_upsert,
};
use crate::visible::shown;
use crate::yank::{self, YankedVersion};
use crate::{AgentId, ContextGraphId, ServiceId};

/// Everything that a plan looks at beside the change itself, as it is at one moment.
#[derive(Debug)]
pub struct PlanInput<'a> {
    /// The service.
    pub service_id: ServiceId,
    /// Its name, by which whoever is shown the plan knows it.
    pub service_name: &'a str,
    /// Its agent and context graph.
    pub binding: &'a Binding,
    /// The yanked versions of the two.
    pub yanked: &'a [YankedVersion],
    /// The name of the set to change, whatever a caller wrote.
    pub name: &'a str,
    /// That set, if there ever was one of the name.
    pub target: Option<&'a Target>,
    /// The names of the service's sets, without deleted ones; looked up where the set is new.
    pub sets: &'a [SetName],
    /// Those of them that the caller must not learn of.
    pub hidden_sets: &'a [SetName],
    /// The unit tests that name the set, without deleted ones; looked up where the change is a deletion.
    pub unit_tests: &'a [UnitTestRef],
    /// The models that may be preferred.
    pub models: &'a ModelCatalogue,
    /// The prompt that does not fit, of the versions that the set would mean, where that was looked at.
    pub long_prompt: Option<LongPrompt>,
    /// What time it is.
    pub now: Timestamp,
}

/// The set that is to change, as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Its latest revision.
    pub revision: i64,
    /// What it pins, or `None` if it is deleted.
    pub pins: Option<Pins>,
    /// The hold on it.
    pub hold: Option<Hold>,
}

/// What a revision pinned, and what that came to mean in the end.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// Its number.
    pub revision: i64,
    /// The service's agent at the time.
    pub agent_id: AgentId,
    /// The service's context graph at the time.
    pub context_graph_id: ContextGraphId,
    /// What it pinned.
    pub pins: Pins,
    /// The versions that the pins meant last: now for the set's latest revision, else when the next one replaced it.
    pub resolved: ResolvedPins,
}

/// A change that somebody wants to make.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Replace what the set pins, creating it if need be.
    Upsert(RequestedPins),
    /// Copy what another set pins.
    Promote {
        /// The name of the other set, whatever a caller wrote.
        source: String,
        /// The revision of it that was asked for; nothing means the latest.
        source_revision: Option<i64>,
        /// What that revision pinned, if there is one that pins anything.
        content: Option<Content>,
        /// Whether floating pins are written as the numbers that they mean.
        freeze: bool,
    },
    /// Restore an earlier revision.
    Rollback {
        /// That revision, or why there is none; see [`choose_restored`].
        restored: Result<Content, Refusal>,
        /// Whether floating pins are written as the numbers that they last meant.
        freeze: bool,
    },
    /// Delete the set.
    Delete,
    /// Mean something else by the same pins: the service, whose agent and graph these were, gets those of the input.
    Rebind(Box<Binding>),
}

/// One finding of a plan: a stable code, what is so, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// A stable word for programs; `docs/rules.md` lists all of them.
    pub code: String,
    /// What is so, as one sentence without its full stop.
    pub message: String,
    /// What to do about it, where more can be said than the message does.
    pub hint: Option<String>,
}

impl Finding {
    fn text(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}; {hint}", self.message),
            None => self.message.clone(),
        }
    }
}

/// Returns findings as one text; of very many, the first ones and how many there are
/// beside, as far as that is known.
fn told(findings: &[Finding]) -> String {
    let texts: Vec<String> = findings.iter().take(MOST_TOLD).map(Finding::text).collect();
    let told = texts.join("; ");
    match findings.len().saturating_sub(MOST_TOLD) {
        0 => told,
        more => format!("{told}; and at least {more} more reasons"),
    }
}

/// A revision of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetRevision {
    /// The set's name.
    pub name: String,
    /// The revision, or `None` where the set is new, or where there is no such revision.
    pub revision: Option<i64>,
}

/// What a change would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The action that history would record.
    pub action: RevisionAction,
    /// The service whose set would change.
    pub service_id: ServiceId,
    /// The set that would change, and its latest revision so far.
    pub target: SetRevision,
    /// Where its pins would come from: another set, or for a rollback an earlier revision of the set itself.
    pub source: Option<SetRevision>,
    /// The fields that would change.
    pub changes: Vec<FieldChange>,
    /// The versions that the set would mean right after, or `None` if it would be deleted or the change cannot be made.
    pub resolved: Option<ResolvedPins>,
    /// Every rule that forbids it; of very many findings of one rule, the first ones and how many more there are.
    pub blockers: Vec<Finding>,
    /// What to think twice about, told alike.
    pub warnings: Vec<Finding>,
    /// Whether everything is so already.
    pub is_no_op: bool,
    /// A hash that fixes all of this and everything it depends on: SHA-256, in hex.
    pub digest: String,
}

impl Plan {
    /// Returns `true` if a rule forbids the change.
    pub fn is_blocked(&self) -> bool {
        !self.blockers.is_empty()
    }

    /// Returns the blockers as one text; of very many, the first ones and how many there are beside.
    pub fn blockers_text(&self) -> String {
        told(&self.blockers)
    }
}

/// What happens to the hold of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldEffect {
    /// It stays as it is, there or not.
    Keep,
    /// It is lifted.
    Lift,
    /// A new one is placed.
    Place,
}

/// What is written if the plan is carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// What the set pins from then on, or `None` if it is deleted. Absent if no revision is to be appended.
    pub revision: Option<Option<Pins>>,
    /// The set and revision that the pins come from.
    pub source: Option<(SetName, i64)>,
    /// The revision that is restored.
    pub restored_revision: Option<i64>,
    /// What happens to the hold.
    pub hold: HoldEffect,
}

/// A plan, and what carrying it out means.
///
/// The effect counts only while nothing blocks the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// What is shown.
    pub plan: Plan,
    /// What is written.
    pub effect: Effect,
}

/// What a change wants the set to pin, and how it came to that.
struct Wanted {
    action: RevisionAction,
    source: Option<SetRevision>,
    /// As asked for, to be shown even where it cannot be had.
    shown: Option<RequestedPins>,
    /// What it changes beside the pins: which agent and graph they are of.
    rebound: Vec<FieldChange>,
    /// As it can be had.
    pins: Option<Pins>,
    restored_revision: Option<i64>,
    refusals: Vec<Refusal>,
    warnings: Vec<Warning>,
    freeze: bool,
}

/// Plans a change.
///
/// With `lift_hold`, a hold on the set does not stand in the way and is gone afterwards.
pub fn plan(input: &PlanInput<'_>, change: Change, lift_hold: bool) -> Planned {
    let current = input.target.and_then(|target| target.pins.as_ref());
    let is_new = current.is_none();
    let hold = input.target.and_then(|target| target.hold.as_ref());
    let mut refusals = check_target(input, &change, is_new, hold, lift_hold);
    let wanted = wanted(input, change, is_new);
    refusals.extend(wanted.refusals);
    let is_deletion = wanted.action == RevisionAction::Delete;
    let is_rollback = wanted.action == RevisionAction::Rollback;
    let mut warnings = wanted.warnings;
    let is_rebind = wanted.action == RevisionAction::Rebind;
    if !is_deletion && !is_rebind {
        warnings.extend(warning::of_pins(
            input,
            wanted.action,
            wanted.pins.as_ref(),
            is_new,
        ));
        warnings.extend(warning::of_promotion(
            input.name,
            wanted.action,
            wanted.source.as_ref(),
        ));
    }
    let is_unchanged =
        !(is_deletion || is_rollback || is_rebind) && current.is_some() && current == wanted.pins.as_ref();
    let hold_effect = match (hold, lift_hold) {
        (Some(_), true) => HoldEffect::Lift,
        (_, false) if is_rollback => HoldEffect::Place,
        _ => HoldEffect::Keep,
    };
    let mut changes = wanted.rebound;
    changes.extend(changes::of_pins(current, wanted.shown.as_ref(), is_deletion));
    changes.extend(changes::of_hold(hold, hold_effect));
    let plan = Plan {
        action: wanted.action,
        service_id: input.service_id,
        target: SetRevision {
            name: input.name.to_owned(),
            revision: input.target.filter(|_| !is_new).map(|target| target.revision),
        },
        resolved: wanted.pins.as_ref().map(|pins| pins.resolve(input.binding)),
        changes,
        blockers: refusals.iter().map(Finding::from).collect(),
        warnings: warnings.iter().map(Finding::from).collect(),
        is_no_op: is_unchanged && hold_effect == HoldEffect::Keep,
        source: wanted.source,
        digest: String::new(),
    };
    let source = match (&plan.source, plan.action) {
        (
            Some(SetRevision {
                name,
                revision: Some(revision),
            }),
            RevisionAction::Promote,
        ) => name.parse().ok().map(|name| (name, *revision)),
        _ => None,
    };
    let yanked = yank::meant(input.binding, input.yanked, [current, wanted.pins.as_ref()]);
    let effect = Effect {
        revision: (!is_unchanged).then_some(wanted.pins),
        source,
        restored_revision: wanted.restored_revision,
        hold: hold_effect,
    };
    let digest = digest(&plan, input, yanked, hold, (wanted.freeze, lift_hold));
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

/// Returns the hash of a plan and of everything it depends on beyond what it shows.
///
/// In which order preferences were written, and with them what is found, says nothing about the change.
fn digest(
    plan: &Plan,
    input: &PlanInput<'_>,
    yanked: Vec<YankedVersion>,
    hold: Option<&Hold>,
    (freeze, lift_hold): (bool, bool),
) -> String {
    let tombstone = input
        .target
        .filter(|target| target.pins.is_none())
        .map(|target| target.revision);
    let plan = Plan {
        blockers: sorted(&plan.blockers),
        warnings: sorted(&plan.warnings),
        ..plan.clone()
    };
    let all = json!({
        "plan": plan, "deleted_revision": tombstone, "hold": hold, "freeze": freeze, "lift_hold": lift_hold,
        "service_name": input.service_name, "yanked": sorted(&yanked), "agent_id": input.binding.agent.id,
        "context_graph_id": input.binding.context_graph.id,
    });
    crate::hex(&Sha256::digest(
        canonical_json(&integral_numbers(&all)).as_bytes(),
    ))
}

fn sorted<T: Clone + Ord>(items: &[T]) -> Vec<T> {
    let mut items = items.to_vec();
    items.sort_unstable();
    items
}

/// Returns the one digest of several plans that are carried out together.
pub fn joint_digest(plans: &[Plan]) -> String {
    let digests: Vec<Value> = plans.iter().map(|plan| plan.digest.clone().into()).collect();
    crate::hex(&Sha256::digest(canonical_json(&Value::Array(digests)).as_bytes()))
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

fn wanted(input: &PlanInput<'_>, change: Change, is_new: bool) -> Wanted {
    match change {
        Change::Upsert(requested) => wanted_by_upsert(input, requested, is_new),
        Change::Promote {
            source,
            source_revision,
            content,
            freeze,
        } => wanted_by_promote(input, source, source_revision, content, freeze),
        Change::Rollback { restored, freeze } => wanted_by_rollback(input, restored, freeze),
        Change::Rebind(from) => rebind::wanted(input, &from),
        Change::Delete => Wanted {
            action: RevisionAction::Delete,
            source: None,
            shown: None,
            rebound: Vec::new(),
            pins: None,
            restored_revision: None,
            refusals: Vec::new(),
            warnings: Vec::new(),
            freeze: false,
        },
    }
}

fn wanted_by_upsert(input: &PlanInput<'_>, requested: RequestedPins, is_new: bool) -> Wanted {
    let shown = Some(requested.clone());
    let mut refusals = deprecated(input.binding);
    let mut warnings = Vec::new();
    let pins = match Pins::check(requested, input.binding, input.models, input.now) {
        Ok(pins) => {
            let (pinned, floating) = yank::of_pins(input.binding, input.yanked, &pins);
            refusals.extend(pinned);
            warnings.extend(floating.into_iter().map(Warning::Tolerated));
            Some(pins)
        }
        Err(reasons) => {
            refusals.extend(reasons);
            None
        }
    };
    Wanted {
        action: if is_new {
            RevisionAction::Create
        } else {
            RevisionAction::Update
        },
        source: None,
        shown,
        rebound: Vec::new(),
        pins,
        restored_revision: None,
        refusals,
        warnings,
        freeze: false,
    }
}

fn wanted_by_promote(
    input: &PlanInput<'_>,
    source: String,
    source_revision: Option<i64>,
    content: Option<Content>,
    freeze: bool,
) -> Wanted {
    let mut refusals = deprecated(input.binding);
    let mut warnings = Vec::new();
    let mut pins = None;
    let revision = content.as_ref().map(|content| content.revision);
    match content {
        None => {
            let source = source.clone();
            refusals.push(Refusal::UnknownSource {
                source,
                revision: source_revision,
            });
        }
        Some(content) => {
            refusals.extend(of_another_asset(input.binding, &content));
            let is_sound = refusals.iter().all(|refusal| refusal.code() != "another_asset");
            let written = written(&content, freeze);
            refusals.extend(check_models(&written.model_preferences, input.models, input.now));
            if is_sound {
                refusals.extend(missing(input.binding, &written));
                let (pinned, floating) = yank::of_pins(input.binding, input.yanked, &written);
                refusals.extend(pinned);
                warnings.extend(floating.into_iter().map(Warning::Tolerated));
            }
            if written.is_floating() {
                warnings.push(Warning::NotFrozen);
            }
            pins = Some(written);
        }
    }
    Wanted {
        action: RevisionAction::Promote,
        source: Some(SetRevision {
            name: source,
            revision,
        }),
        shown: pins.as_ref().map(RequestedPins::from),
        rebound: Vec::new(),
        pins,
        restored_revision: None,
        refusals,
        warnings,
        freeze,
    }
}

fn wanted_by_rollback(input: &PlanInput<'_>, restored: Result<Content, Refusal>, freeze: bool) -> Wanted {
    let name = input.name.to_owned();
    let (content, refusal) = match restored {
        Ok(content) => (Some(content), None),
        Err(refusal) => (None, Some(refusal)),
    };
    let mut refusals: Vec<Refusal> = refusal.into_iter().collect();
    // A rollback is for incidents: what would forbid a promotion is only a warning here.
    let mut warnings: Vec<Warning> = deprecated(input.binding)
        .into_iter()
        .map(Warning::Tolerated)
        .collect();
    let revision = content.as_ref().map(|content| content.revision);
    let mut pins = None;
    if let Some(content) = content {
        let another = of_another_asset(input.binding, &content);
        let written = written(&content, freeze);
        refusals.extend(check_models(&written.model_preferences, input.models, input.now));
        if another.is_empty() {
            refusals.extend(missing(input.binding, &written));
            let (pinned, floating) = yank::of_pins(input.binding, input.yanked, &written);
            warnings.extend(pinned.into_iter().chain(floating).map(Warning::Tolerated));
        }
        refusals.extend(another);
        if written.is_floating() {
            warnings.push(Warning::NotFrozen);
        }
        pins = Some(written);
    }
    Wanted {
        action: RevisionAction::Rollback,
        source: Some(SetRevision { name, revision }),
        shown: pins.as_ref().map(RequestedPins::from),
        rebound: Vec::new(),
        pins,
        restored_revision: revision,
        refusals,
        warnings,
        freeze,
    }
}

/// Returns the pins to write for a revision: frozen to what they last meant, or as they are.
fn written(content: &Content, freeze: bool) -> Pins {
    let mut pins = content.pins.clone();
    if freeze {
        pins.agent_version = pins.agent_version.or(content.resolved.agent_version);
        pins.context_graph_version = pins
            .context_graph_version
            .or(content.resolved.context_graph_version);
    }
    pins
}

fn deprecated(binding: &Binding) -> Vec<Refusal> {
    let refusal = |bound: &Bound| {
        let (asset, id) = (bound.asset, bound.id.clone());
        bound.is_deprecated.then_some(Refusal::Deprecated { asset, id })
    };
    [&binding.agent, &binding.context_graph]
        .into_iter()
        .filter_map(refusal)
        .collect()
}

fn of_another_asset(binding: &Binding, content: &Content) -> Vec<Refusal> {
    let pairs = [
        (&binding.agent, content.agent_id.to_string()),
        (&binding.context_graph, content.context_graph_id.to_string()),
    ];
    let refusal = |(bound, pinned): (&Bound, String)| {
        let (asset, bound) = (bound.asset, bound.id.clone());
        (pinned != bound).then_some(Refusal::AnotherAsset { asset, pinned, bound })
    };
    pairs.into_iter().filter_map(refusal).collect()
}

/// Returns the pinned versions that do not exist.
fn missing(binding: &Binding, pins: &Pins) -> Vec<Refusal> {
    let pairs = [
        (&binding.agent, pins.agent_version),
        (&binding.context_graph, pins.context_graph_version),
    ];
    let refusal = |(bound, pin): (&Bound, Option<VersionNumber>)| {
        let number = pin.filter(|number| !number.exists(bound.latest))?;
        Some(Refusal::NoSuchVersion {
            asset: bound.asset,
            id: bound.id.clone(),
            number: number.get(),
            latest: bound.latest,
        })
    };
    pairs.into_iter().filter_map(refusal).collect()
}

impl From<&Refusal> for Finding {
    fn from(refusal: &Refusal) -> Self {
        Self {
            code: refusal.code().to_owned(),
            message: shown(refusal.message()),
            hint: refusal.hint().map(|hint| shown(hint.to_string())),
        }
    }
}

#[cfg(test)]
mod tests;
