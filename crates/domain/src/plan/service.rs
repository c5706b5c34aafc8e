//! Plans of changes of services: what a change would do to the service and, where it gets another agent or context graph,
//! to each of its sets.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::changes::FieldChange;
use super::digest::{self, sorted};
use super::effect::Effect;
use super::finding::{Finding, told, told_of_each_rule};
use super::input::{Change, PlanInput, Target};
use super::outcome::Plan;
use super::plan;
use crate::ServiceId;
use crate::model::ModelCatalogue;
use crate::refusal::Refusal;
use crate::service::{Service, check_activation, check_bound};
use crate::simulation::{UnitTestRef, check_unused};
use crate::time::Timestamp;
use crate::version_set::{Binding, Pins, SetName};
use crate::yank::YankedVersion;

/// Another active service of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Namesake {
    /// One that the caller may see.
    Seen(ServiceId),
    /// One of which the caller may learn no more than that the name is taken.
    Hidden,
}

impl Namesake {
    /// Returns which service it is, if that is to be told.
    pub fn id(self) -> Option<String> {
        match self {
            Self::Seen(id) => Some(id.to_string()),
            Self::Hidden => None,
        }
    }
}

/// Everything that a plan of a service looks at beside the change itself, as it is at one moment.
#[derive(Debug)]
pub struct ServicePlanInput<'a> {
    /// The service.
    pub service: &'a Service,
    /// Its agent and context graph.
    pub binding: &'a Binding,
    /// Those that it would have; the same if it keeps them.
    pub wanted: &'a Binding,
    /// Why it cannot have them: they are not there, or not for the caller. Then `wanted` says nothing.
    pub missing: &'a [Refusal],
    /// The yanked versions of those that it would have.
    pub yanked: &'a [YankedVersion],
    /// Its sets, without deleted ones.
    pub sets: &'a [(SetName, Target)],
    /// Those of them that the caller must not learn of.
    pub hidden_sets: &'a [SetName],
    /// The unit tests that name its sets; looked up where the change deactivates it.
    pub unit_tests: &'a [UnitTestRef],
    /// Another active service that has the name which it would have.
    pub namesake: Option<Namesake>,
    /// The models that may be preferred.
    pub models: &'a ModelCatalogue,
    /// What time it is.
    pub now: Timestamp,
}

/// What a change of a service would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServicePlan {
    /// The service.
    pub service_id: ServiceId,
    /// Its fields that would change.
    pub changes: Vec<FieldChange>,
    /// What would become of each of its sets; none where they go on meaning what they mean.
    pub version_sets: Vec<Plan>,
    /// Every rule that forbids it, those of the sets included.
    pub blockers: Vec<Finding>,
    /// What to think twice about, that of the sets included.
    pub warnings: Vec<Finding>,
    /// Whether everything is so already.
    pub is_no_op: bool,
    /// A hash that fixes all of this and everything it depends on: SHA-256, in hex.
    pub digest: String,
}

impl ServicePlan {
    /// Returns all blockers as one text.
    pub fn blockers_text(&self) -> String {
        told(&self.blockers)
    }
}

/// A plan, and what carrying it out means for each set, in their order.
///
/// The effects count only while nothing blocks the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedService {
    /// What is shown.
    pub plan: ServicePlan,
    /// What is written to the sets.
    pub effects: Vec<Effect>,
}

/// Plans that a service becomes like `after`.
///
/// With `lift_hold`, holds on its sets do not stand in the way of another agent or graph and are gone afterwards.
pub fn plan_service(input: &ServicePlanInput<'_>, after: &Service, lift_hold: bool) -> PlannedService {
    let before = input.service;
    let is_rebound = (before.agent_id, before.context_graph_id) != (after.agent_id, after.context_graph_id);
    let refusals = check(input, after);
    let mut blockers: Vec<Finding> = refusals.iter().map(Finding::from).collect();
    let (mut warnings, mut version_sets, mut effects) = (Vec::new(), Vec::new(), Vec::new());
    if is_rebound && input.missing.is_empty() {
        for (name, target) in input.sets {
            let planned = plan(
                &of_set(input, name, target),
                Change::Rebind(Box::new(input.binding.clone())),
                lift_hold,
            );
            add(&mut blockers, &planned.plan.blockers, name);
            add(&mut warnings, &planned.plan.warnings, name);
            version_sets.push(planned.plan);
            effects.push(planned.effect);
        }
    }
    let changes = changes(before, after);
    let plan = ServicePlan {
        service_id: before.id,
        is_no_op: changes.is_empty(),
        changes,
        version_sets,
        blockers,
        warnings,
        digest: String::new(),
    };
    let begins = if is_activation(before, after) {
        would_mean(input)
    } else {
        Vec::new()
    };
    let digest = digest_of(&plan, &before.name, &begins, lift_hold);
    PlannedService {
        plan: ServicePlan {
            digest,
            blockers: told_of_each_rule(plan.blockers),
            warnings: told_of_each_rule(plan.warnings),
            ..plan
        },
        effects,
    }
}

fn is_activation(before: &Service, after: &Service) -> bool {
    after.is_active && !before.is_active
}

/// Returns what each set that the caller may see would begin to mean to conversations.
fn would_mean(input: &ServicePlanInput<'_>) -> Vec<Value> {
    let seen = input.sets.iter();
    let seen = seen.filter(|(name, _)| !input.hidden_sets.contains(name));
    let meaning = |(name, target): &(SetName, Target)| {
        let resolved = target.pins.as_ref().map(|pins| pins.resolve(input.wanted));
        json!({"name": name, "revision": target.revision, "pins": target.pins, "resolved": resolved})
    };
    seen.map(meaning).collect()
}

/// Returns every reason against the change of the service itself.
fn check(input: &ServicePlanInput<'_>, after: &Service) -> Vec<Refusal> {
    let before = input.service;
    let mut refusals = input.missing.to_vec();
    if refusals.is_empty() {
        let (old, new) = (input.binding, input.wanted);
        for (old, new) in [(&old.agent, &new.agent), (&old.context_graph, &new.context_graph)] {
            if old.id != new.id {
                refusals.extend(check_bound(new));
            }
        }
        if is_activation(before, after) {
            let live = |(name, target): &(SetName, Target)| Some((name.clone(), target.pins.clone()?));
            let pins: Vec<(SetName, Pins)> = input.sets.iter().filter_map(live).collect();
            for reason in check_activation(new, input.yanked, &pins, input.models, input.now) {
                let reason = as_told(reason, input.hidden_sets);
                if !refusals.contains(&reason) {
                    refusals.push(reason);
                }
            }
        }
    }
    if before.is_active && !after.is_active {
        refusals.extend(check_unused(format!("service {}", before.id), input.unit_tests));
    }
    if let Some(other) = input.namesake.filter(|_| after.is_active) {
        refusals.push(Refusal::NameTaken {
            service: other.id(),
            name: after.name.clone(),
        });
    }
    refusals
}

/// Returns a reason as the caller may be told it.
fn as_told(reason: Refusal, hidden: &[SetName]) -> Refusal {
    match reason {
        Refusal::InSet { set, reason } if hidden.contains(&set) => {
            Refusal::InHiddenSet { code: reason.code() }
        }
        reason => reason,
    }
}

fn of_set<'a>(input: &ServicePlanInput<'a>, name: &'a SetName, target: &'a Target) -> PlanInput<'a> {
    PlanInput {
        service_id: input.service.id,
        service_name: &input.service.name,
        binding: input.wanted,
        yanked: input.yanked,
        name: name.as_str(),
        target: Some(target),
        // What other sets there are matters to new ones alone.
        sets: &[],
        hidden_sets: &[],
        unit_tests: &[],
        long_prompt: None,
        models: input.models,
        now: input.now,
    }
}

/// Adds what was found in a set, with the set's name; what was said of the whole service already is not repeated.
fn add(all: &mut Vec<Finding>, of_set: &[Finding], name: &SetName) {
    let known = all.clone();
    let is_said = |finding: &&Finding| !known.contains(finding);
    let named = |finding: &Finding| {
        if finding.message.contains(&format!("`{name}`")) {
            return finding.clone();
        }
        Finding {
            message: format!("version set `{name}`: {}", finding.message),
            ..finding.clone()
        }
    };
    let found = of_set.iter().filter(is_said).map(named);
    let new: Vec<Finding> = found.filter(|finding| !known.contains(finding)).collect();
    all.extend(new);
}

fn changes(before: &Service, after: &Service) -> Vec<FieldChange> {
    let (from, to) = (fields(before), fields(after));
    let changed = from.into_iter().zip(to).filter(|((_, from), (_, to))| from != to);
    let change = |((field, from), (_, to)): ((&str, Value), (&str, Value))| FieldChange {
        field: field.to_owned(),
        from,
        to,
    };
    changed.map(change).collect()
}

/// Returns the fields that a change can be about, as on the wire.
fn fields(service: &Service) -> [(&'static str, Value); 7] {
    [
        ("name", json!(service.name)),
        ("description", json!(service.description)),
        ("is_active", json!(service.is_active)),
        ("agent_id", json!(service.agent_id)),
        (
            "service_hierarchical_state_machine_id",
            json!(service.context_graph_id),
        ),
        ("tags", json!(service.tags)),
        ("keyterms", json!(service.keyterms)),
    ]
}

/// Returns the hash of a plan and of everything it depends on beyond what it shows: by which `name` the service is
/// known, and what conversations would `begin` with.
fn digest_of(plan: &ServicePlan, name: &str, begins: &[Value], lift_hold: bool) -> String {
    let plan = ServicePlan {
        blockers: sorted(&plan.blockers),
        warnings: sorted(&plan.warnings),
        ..plan.clone()
    };
    let digests: Vec<&str> = plan.version_sets.iter().map(|set| set.digest.as_str()).collect();
    let all = json!({
        "service_id": plan.service_id, "name": name, "changes": plan.changes, "version_sets": digests, "blockers": plan.blockers,
        "warnings": plan.warnings, "lift_hold": lift_hold, "begins": begins,
    });
    digest::of_document(&all)
}
