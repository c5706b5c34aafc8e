//! What a set comes to mean when its service gets another agent or context graph.

use super::changes;
use super::input::PlanInput;
use super::wanted::Wanted;
use super::warning::Warning;
use crate::asset::AssetId;
use crate::refusal::Refusal;
use crate::revision::RevisionAction;
use crate::service::{check_bound, check_rebound_pins};
use crate::version_set::{Binding, Pins, RequestedPins, SetName};
use crate::yank;

/// Returns what the set of the input means on the input's agent and graph, by the same pins as on those of
/// `from`.
pub(super) fn wanted(input: &PlanInput<'_>, from: &Binding) -> Wanted {
    let to = input.binding;
    let current = input.current_pins().cloned();
    let mut refusals = Vec::new();
    for (old, new) in [(&from.agent, &to.agent), (&from.context_graph, &to.context_graph)] {
        if old.id != new.id {
            refusals.extend(check_bound(new));
        }
    }
    let mut warnings = Vec::new();
    let mut pins = None;
    if let (Some(current), Ok(name)) = (current, input.name.parse::<SetName>()) {
        let lost = check_rebound_pins(from, to, &name, &current);
        let (pinned, floating) = newly_yanked(input, from, &current);
        refusals.extend(pinned);
        warnings.extend(floating.into_iter().map(Warning::Tolerated));
        if name == SetName::release() && current.is_floating() {
            warnings.push(Warning::FloatingRelease);
        }
        pins = lost.is_empty().then_some(current);
        refusals.extend(lost);
    }
    Wanted {
        shown: pins.as_ref().map(RequestedPins::from),
        rebound: changes::of_binding(from, to),
        pins,
        refusals,
        warnings,
        ..Wanted::new(RevisionAction::Rebind)
    }
}

/// Returns the yanked versions of what is new about the service: those that the pins name, and those that they mean for
/// now because they float.
///
/// What ran before is no matter of this change.
fn newly_yanked(input: &PlanInput<'_>, from: &Binding, pins: &Pins) -> (Vec<Refusal>, Vec<Refusal>) {
    let to = input.binding;
    let is_new = |refusal: &Refusal| match refusal {
        Refusal::Yanked {
            asset: AssetId::Agent(_),
            ..
        } => from.agent.id != to.agent.id,
        _ => from.context_graph.id != to.context_graph.id,
    };
    let (mut pinned, mut floating) = yank::of_pins(to, input.yanked, pins);
    pinned.retain(is_new);
    floating.retain(is_new);
    (pinned, floating)
}
