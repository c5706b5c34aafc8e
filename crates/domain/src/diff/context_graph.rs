//! Differences between two versions of a context graph: its states, the ways between them, and its tools.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::fields::{self, FieldDiff};
use super::text::Effort;
use crate::ToolId;
use crate::context_graph::{ContextGraphDocument, NextState, State};
use crate::plan::FieldChange;

/// In what two versions of a context graph differ.
///
/// States are the same if they have the same name, which no two states of a sound graph share.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ContextGraphDiff {
    /// The states that only the later version has.
    pub states_added: Vec<String>,
    /// The states that only the earlier version has.
    pub states_removed: Vec<String>,
    /// The states that both have and that differ.
    pub states_changed: Vec<StateDiff>,
    /// The ways from state to state that only the later version has.
    pub transitions_added: Vec<Transition>,
    /// The ways that only the earlier version has.
    pub transitions_removed: Vec<Transition>,
    /// The states of the later version that no conversation can come to any more: in the earlier one, one could, or
    /// they were not there.
    pub states_unreachable: Vec<String>,
    /// The tools that only the later version may call.
    pub tools_added: Vec<ToolId>,
    /// The tools that only the earlier version may call.
    pub tools_removed: Vec<ToolId>,
    /// The other fields that differ. `states` is among them if the states that both have stand in another order.
    pub changes: Vec<FieldDiff>,
}

/// In what a state differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StateDiff {
    /// Its name.
    pub name: String,
    /// The fields that differ.
    pub changes: Vec<FieldDiff>,
}

/// A way from one state to another.
///
/// Under which condition it is taken is told by the state that it leaves.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Transition {
    /// The state that it leaves.
    pub from: String,
    /// The state that it leads to; `reference.state` in another graph.
    pub to: String,
    /// The state that a conversation comes back to from the other graph.
    pub jump_back: Option<String>,
}

impl ContextGraphDiff {
    /// Returns `true` if nothing differs.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Returns in what one graph's content differs from another's.
pub fn compare_context_graphs(from: &ContextGraphDocument, to: &ContextGraphDocument) -> ContextGraphDiff {
    let mut effort = Effort::default();
    let (states_added, states_removed) = added_and_removed(&names(from), &names(to));
    let (transitions_added, transitions_removed) = added_and_removed(&transitions(from), &transitions(to));
    let (tools_added, tools_removed) = added_and_removed(&tools(from), &tools(to));
    ContextGraphDiff {
        states_added,
        states_removed,
        states_changed: changed_states(from, to, &mut effort),
        transitions_added,
        transitions_removed,
        states_unreachable: newly_unreachable(from, to),
        tools_added,
        tools_removed,
        changes: other_changes(from, to, &mut effort),
    }
}

fn names(graph: &ContextGraphDocument) -> Vec<String> {
    graph.states.iter().map(|state| state.name().to_owned()).collect()
}

fn by_name(graph: &ContextGraphDocument) -> HashMap<&str, &State> {
    graph.states.iter().map(|state| (state.name(), state)).collect()
}

fn changed_states(
    from: &ContextGraphDocument,
    to: &ContextGraphDocument,
    effort: &mut Effort,
) -> Vec<StateDiff> {
    let later = by_name(to);
    let states = from.states.iter();
    let pairs = states.filter_map(|state| Some((state, *later.get(state.name())?)));
    let changed = pairs.filter(|(before, after)| before != after);
    changed
        .map(|(before, after)| StateDiff {
            name: before.name().to_owned(),
            changes: fields::compare(&fields::of(before), &fields::of(after), effort),
        })
        .collect()
}

fn transitions(graph: &ContextGraphDocument) -> Vec<Transition> {
    let leaving = |state: &State, next: &NextState| {
        let (to, jump_back) = match next {
            NextState::Internal(name) => (name, None),
            NextState::External(target, back) => (target, Some(back.clone())),
        };
        Transition {
            from: state.name().to_owned(),
            to: to.clone(),
            jump_back,
        }
    };
    let states = graph.states.iter();
    let all = states.flat_map(|state| state.ways_out().map(move |next| leaving(state, next)));
    distinct(all)
}

fn tools(graph: &ContextGraphDocument) -> Vec<ToolId> {
    distinct(graph.tools())
}

/// Returns each thing once, in the order in which they come first.
fn distinct<T: Clone + Eq + Hash>(things: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    things.filter(|thing| seen.insert(thing.clone())).collect()
}

fn added_and_removed<T: Clone + Eq + Hash>(from: &[T], to: &[T]) -> (Vec<T>, Vec<T>) {
    let without = |things: &[T], others: &[T]| {
        let others: HashSet<&T> = others.iter().collect();
        things
            .iter()
            .filter(|thing| !others.contains(thing))
            .cloned()
            .collect()
    };
    (without(to, from), without(from, to))
}

fn newly_unreachable(from: &ContextGraphDocument, to: &ContextGraphDocument) -> Vec<String> {
    let before: HashSet<&str> = from.unreachable_states().into_iter().collect();
    let now = to.unreachable_states().into_iter();
    let new = now.filter(|name| !before.contains(name));
    new.map(str::to_owned).collect()
}

/// Returns what differs beside the states, and their order if it does.
fn other_changes(
    from: &ContextGraphDocument,
    to: &ContextGraphDocument,
    effort: &mut Effort,
) -> Vec<FieldDiff> {
    let rest = |graph: &ContextGraphDocument| {
        let without_states = ContextGraphDocument {
            states: Vec::new(),
            ..graph.clone()
        };
        fields::of(&without_states)
    };
    let mut changes = fields::compare(&rest(from), &rest(to), effort);
    let (before, after) = (common_names(from, to), common_names(to, from));
    if before != after {
        changes.push(FieldDiff::Whole(FieldChange {
            field: "states".to_owned(),
            from: json!(before),
            to: json!(after),
        }));
    }
    changes
}

/// Returns the names of the states that the other graph has too, in this one's order.
fn common_names<'g>(graph: &'g ContextGraphDocument, other: &ContextGraphDocument) -> Vec<&'g str> {
    let others = by_name(other);
    let names = graph.states.iter().map(State::name);
    names.filter(|name| others.contains_key(name)).collect()
}
