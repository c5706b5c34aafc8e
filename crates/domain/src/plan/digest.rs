//! Hashes that fix plans, so that what was seen is what is done.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::input::PlanInput;
use super::outcome::Plan;
use crate::audit::canonical_json;
use crate::number::integral_numbers;
use crate::yank::YankedVersion;

/// Returns the hash of a plan and of everything it depends on beyond what it shows.
///
/// In which order preferences were written, and with them what is found, says nothing about the change.
pub(super) fn of_plan(
    plan: &Plan,
    input: &PlanInput<'_>,
    yanked: &[YankedVersion],
    freeze: bool,
    lift_hold: bool,
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
        "plan": plan, "deleted_revision": tombstone, "hold": input.hold(), "freeze": freeze, "lift_hold": lift_hold,
        "service_name": input.service_name, "yanked": sorted(yanked), "agent_id": input.binding.agent.id,
        "context_graph_id": input.binding.context_graph.id,
    });
    of_document(&all)
}

/// Returns the hash of a document, however its numbers were written.
pub(super) fn of_document(document: &Value) -> String {
    let text = canonical_json(&integral_numbers(document));
    crate::hex(&Sha256::digest(text.as_bytes()))
}

/// Returns things in an order of their own.
pub(super) fn sorted<T: Clone + Ord>(items: &[T]) -> Vec<T> {
    let mut items = items.to_vec();
    items.sort_unstable();
    items
}

/// Returns the one digest of several plans that are carried out together.
pub fn joint_digest(plans: &[Plan]) -> String {
    let digests: Vec<Value> = plans.iter().map(|plan| plan.digest.clone().into()).collect();
    of_document(&Value::Array(digests))
}
