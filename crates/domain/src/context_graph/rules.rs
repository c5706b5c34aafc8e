//! What makes a context graph sound.
//!
//! The rules come from the contract's description of creating a version; where it is silent, [`check`] says so.
//! Three kinds of breach are kept apart because the contract answers them apart: faults inside the document,
//! faults of the graphs it depends on, and tools that nobody knows.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{ContextGraphDocument, NextState, State, StateNames};
use crate::ContextGraphId;
use crate::fault::{Fault, Faults, Step};
use crate::shortened;

/// How many versions of other graphs a graph may refer to.
///
/// Each is looked up while a version is created.
pub const MAX_REFERENCES: usize = 50;

/// How many versions of graphs a graph may come to with all that it refers to, directly or not: a conversation runs on
/// all of them.
///
/// The graph itself is not counted.
pub const MAX_REACHED: usize = 50;

/// How many bytes they may have together, the graph itself included.
pub const MAX_REACHED_BYTES: usize = 8 * 1024 * 1024;

/// Returns the faults that the document has by itself.
///
/// Beyond the contract's own list, two states must not share a name: a transition could not tell them apart. And there
/// is a most for references, because each of them costs.
pub fn check(graph: &ContextGraphDocument) -> Vec<Fault> {
    let mut faults = Faults::default();
    let names = add_duplicate_names(graph, &mut faults);
    if graph.references.len() > MAX_REFERENCES {
        let msg = format!("a graph refers to at most {MAX_REFERENCES} others");
        faults.push(Fault::new(vec!["references".into()], "too_long", msg));
    }
    for (field, name, is_terminal) in [
        ("new_user_initial_state", &graph.new_user_initial_state, false),
        (
            "returning_user_initial_state",
            &graph.returning_user_initial_state,
            false,
        ),
        ("terminal_state", &graph.terminal_state, true),
    ] {
        faults.extend(special_state(graph, field, name, is_terminal));
    }
    let known = Known { graph, names };
    for (index, state) in graph.states.iter().enumerate() {
        if faults.is_full() {
            break;
        }
        let place = |fault: Fault| fault.inside(index).inside("states");
        faults.extend(state_faults(state).into_iter().map(place));
        for (exit, condition) in state.exit_conditions().iter().enumerate() {
            let found = known.transition_faults(state, &condition.next_state);
            faults.extend(
                found
                    .into_iter()
                    .map(|f| place(f.inside(exit).inside("exit_conditions"))),
            );
        }
        if let Some(next) = state.next_state() {
            faults.extend(known.transition_faults(state, next).into_iter().map(place));
        }
    }
    faults.into_vec()
}

/// Adds a fault for each name that a state before it has already, and returns all names.
fn add_duplicate_names<'g>(graph: &'g ContextGraphDocument, faults: &mut Faults) -> HashSet<&'g str> {
    let mut first = HashMap::new();
    for (index, state) in graph.states.iter().enumerate() {
        let earlier = *first.entry(state.name()).or_insert(index);
        if earlier != index && !faults.is_full() {
            let msg = format!(
                "states[{earlier}] is called `{}` already",
                shortened(state.name())
            );
            faults.push(Fault::new(
                vec!["states".into(), index.into(), "name".into()],
                "duplicate_state",
                msg,
            ));
        }
    }
    first.into_keys().collect()
}

fn special_state(graph: &ContextGraphDocument, field: &str, name: &str, is_terminal: bool) -> Option<Fault> {
    let fault = |kind, msg: String| Some(Fault::new(vec![field.into()], kind, msg));
    match graph.state(name) {
        None => fault(
            "unknown_state",
            format!("no state is called `{}`", shortened(name)),
        ),
        Some(State::Action(state)) if is_terminal => {
            if !state.exit_conditions.is_empty() {
                fault(
                    "terminal_state",
                    format!("the terminal state `{name}` must have no exit conditions"),
                )
            } else if state.actions.len() != 1 {
                let count = state.actions.len();
                fault(
                    "terminal_state",
                    format!("the terminal state `{name}` must have exactly one action, not {count}"),
                )
            } else {
                None
            }
        }
        Some(State::Action(_)) => None,
        Some(_) => fault("not_an_action_state", format!("`{name}` must be an action state")),
    }
}

fn state_faults(state: &State) -> Vec<Fault> {
    match state {
        State::Recall(recall) if recall.queries.is_some() == recall.requested_information.is_some() => {
            let msg = "give either `queries` or `requested_information`, and null for the other";
            vec![Fault::new(vec!["queries".into()], "recall_state", msg)]
        }
        State::Action(action) if action.actions.is_empty() => {
            vec![Fault::new(
                vec!["actions".into()],
                "action_state",
                "an action state needs at least one action",
            )]
        }
        _ => Vec::new(),
    }
}

/// A graph with the names of its states, so that each is found at once.
struct Known<'g> {
    graph: &'g ContextGraphDocument,
    names: HashSet<&'g str>,
}

impl Known<'_> {
    fn transition_faults(&self, from: &State, next: &NextState) -> Vec<Fault> {
        let at = |rest: Vec<Step>| {
            let mut loc = vec![Step::from("next_state")];
            loc.extend(rest);
            loc
        };
        match next {
            NextState::Internal(name) if name == from.name() => {
                vec![Fault::new(
                    at(vec![]),
                    "self_transition",
                    format!("`{}` must not lead to itself", shortened(name)),
                )]
            }
            NextState::Internal(name) if !self.names.contains(name.as_str()) => {
                vec![Fault::new(
                    at(vec![]),
                    "unknown_state",
                    format!("no state is called `{}`", shortened(name)),
                )]
            }
            NextState::Internal(_) => Vec::new(),
            NextState::External(target, back) => {
                let mut faults = Vec::new();
                let reference = target
                    .split_once('.')
                    .map_or(target.as_str(), |(reference, _)| reference);
                if !self.graph.references.contains_key(reference) {
                    let msg = format!("`references` has no graph called `{}`", shortened(reference));
                    faults.push(Fault::new(at(vec![0.into()]), "unknown_reference", msg));
                }
                if !self.names.contains(back.as_str()) {
                    let msg = format!("no state to jump back to is called `{}`", shortened(back));
                    faults.push(Fault::new(at(vec![1.into()]), "unknown_state", msg));
                }
                faults
            }
        }
    }
}

/// What is known of a version of another graph that a document refers to.
#[derive(Debug, Clone)]
pub enum Referenced {
    /// There is no such graph in the organization.
    NoSuchGraph,
    /// The graph is deprecated.
    Deprecated,
    /// The graph has no version of that number.
    NoSuchVersion,
    /// The version was yanked, and why.
    Yanked(String),
    /// With the version and all that it refers to, directly or not, the graph comes to too much.
    TooMuch,
    /// The version, with the names of its states.
    Version(Arc<StateNames>),
}

/// Returns the faults of the graphs that the document depends on.
pub fn check_references(
    graph: &ContextGraphDocument,
    mut look_up: impl FnMut(ContextGraphId, i64) -> Referenced,
) -> Vec<Fault> {
    let mut faults = Faults::default();
    let mut known = HashMap::new();
    for (name, (id, number)) in &graph.references {
        let fault = |kind, msg| Fault::new(vec!["references".into(), name.as_str().into()], kind, msg);
        match look_up(*id, *number) {
            Referenced::NoSuchGraph => {
                faults.push(fault(
                    "unknown_context_graph",
                    format!("there is no context graph {id}"),
                ));
            }
            Referenced::Deprecated => {
                faults.push(fault(
                    "deprecated_context_graph",
                    format!("context graph {id} is deprecated"),
                ));
            }
            Referenced::NoSuchVersion => {
                let msg = format!("context graph {id} has no version {number}");
                faults.push(fault("unknown_version", msg));
            }
            Referenced::Yanked(reason) => {
                let reason = shortened(&reason);
                let msg = format!("version {number} of context graph {id} was yanked: {reason}");
                faults.push(fault("yanked_version", msg));
            }
            Referenced::TooMuch => {
                let msg = format!(
                    "with version {number} of context graph {id} and all that it refers to, the graph comes to more than \
                     {MAX_REACHED} other graphs or {MAX_REACHED_BYTES} bytes; refer to less"
                );
                faults.push(fault("too_large", msg));
            }
            Referenced::Version(names) => {
                known.insert(name.as_str(), names);
            }
        }
    }
    for (index, state) in graph.states.iter().enumerate() {
        if faults.is_full() {
            break;
        }
        let exits = state.exit_conditions().iter().map(|exit| &exit.next_state);
        for next in exits.chain(state.next_state()) {
            let NextState::External(target, _) = next else {
                continue;
            };
            let Some((reference, name)) = target.split_once('.') else {
                continue;
            };
            if known.get(reference).is_some_and(|names| !names.contain(name)) {
                let msg = format!(
                    "the graph that `{}` refers to has no state `{}`",
                    shortened(reference),
                    shortened(name)
                );
                faults.push(Fault::new(
                    vec!["states".into(), index.into()],
                    "unknown_state",
                    msg,
                ));
            }
        }
    }
    faults.into_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn action(name: &str, exits: Value) -> Value {
        json!({"type": "action", "name": name, "objective": "o", "actions": ["a"],
            "intra_state_navigation_guidelines": [], "action_guidelines": [], "boundary_constraints": [],
            "exit_conditions": exits, "action_tool_call_specs": [], "exit_condition_tool_call_specs": [],
            "skip_active_memory_retrieval": false})
    }

    fn to(next: Value) -> Value {
        json!([{"description": "d", "next_state": next}])
    }

    /// `start` → `end`, with room for more states.
    fn graph(more: Vec<Value>) -> Value {
        let mut states = vec![action("start", to(json!("end"))), action("end", json!([]))];
        states.extend(more);
        json!({"description": "d", "states": states, "new_user_initial_state": "start",
            "returning_user_initial_state": "start", "terminal_state": "end", "references": {},
            "global_intra_state_navigation_guidelines": [], "global_action_guidelines": [],
            "global_boundary_constraints": []})
    }

    fn parse(graph: Value) -> ContextGraphDocument {
        serde_json::from_value(graph).unwrap()
    }

    fn names(graph: &Value) -> Arc<StateNames> {
        Arc::new(StateNames::of_stored(&graph.to_string()).unwrap())
    }

    #[test]
    fn references_have_a_most() {
        let mut value = graph(vec![]);
        let many = (0..=MAX_REFERENCES).map(|n| (format!("r{n}"), json!(["0123456789abcdef01234567", 1])));
        value["references"] = Value::Object(many.collect());
        assert_eq!(
            texts(value.clone()),
            ["references: a graph refers to at most 50 others"]
        );
        value["references"].as_object_mut().unwrap().remove("r0");
        assert_eq!(texts(value), Vec::<String>::new());
    }

    fn texts(graph: Value) -> Vec<String> {
        check(&parse(graph)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_sound_graph_has_no_faults() {
        assert_eq!(texts(graph(vec![])), Vec::<String>::new());
        for text in [
            include_str!("../../../../examples/context_graph/v1.json"),
            include_str!("../../../../examples/context_graph/v2.json"),
            include_str!("../../../../examples/context_graph/v3.json"),
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(texts(value.clone()), Vec::<String>::new());
            assert_eq!(serde_json::to_value(parse(value.clone())).unwrap(), value);
        }
    }

    #[test]
    fn transitions_lead_to_another_existing_state() {
        let thought = |next: Value| json!({"type": "annotation", "name": "t", "inner_thought": "i", "next_state": next});
        assert_eq!(
            texts(graph(vec![thought(json!("nowhere"))])),
            ["states[2].next_state: no state is called `nowhere`"]
        );
        assert_eq!(
            texts(graph(vec![thought(json!("t"))])),
            ["states[2].next_state: `t` must not lead to itself"]
        );
        assert_eq!(
            texts(graph(vec![action("x", to(json!("x")))])),
            ["states[2].exit_conditions[0].next_state: `x` must not lead to itself"]
        );
    }

    #[test]
    fn a_way_into_another_graph_names_a_reference_and_a_state_to_come_back_to() {
        let faults = texts(graph(vec![action("x", to(json!(["other.start", "gone"])))]));
        assert_eq!(
            faults,
            [
                "states[2].exit_conditions[0].next_state[0]: `references` has no graph called `other`",
                "states[2].exit_conditions[0].next_state[1]: no state to jump back to is called `gone`",
            ]
        );
        let mut sound = graph(vec![action("x", to(json!(["other.start", "end"])))]);
        sound["references"] = json!({"other": ["0123456789abcdef01234567", 1]});
        assert_eq!(texts(sound), Vec::<String>::new());
    }

    #[test]
    fn initial_and_terminal_states_are_action_states_of_the_graph() {
        let mut value = graph(vec![
            json!({"type": "annotation", "name": "t", "inner_thought": "i", "next_state": "end"}),
        ]);
        value["new_user_initial_state"] = json!("t");
        value["returning_user_initial_state"] = json!("nowhere");
        value["terminal_state"] = json!("start");
        assert_eq!(
            texts(value),
            [
                "new_user_initial_state: `t` must be an action state",
                "returning_user_initial_state: no state is called `nowhere`",
                "terminal_state: the terminal state `start` must have no exit conditions",
            ]
        );
        let mut value = graph(vec![]);
        value["states"][1]["actions"] = json!(["a", "b"]);
        assert_eq!(
            texts(value),
            ["terminal_state: the terminal state `end` must have exactly one action, not 2"]
        );
    }

    #[test]
    fn names_are_unique_and_recall_states_ask_one_way() {
        let recall = |queries: Value, information: Value| {
            json!({"type": "recall", "name": "r", "queries": queries, "requested_information": information,
                "next_state": "end"})
        };
        assert_eq!(
            texts(graph(vec![recall(json!(["q"]), json!(null))])),
            Vec::<String>::new()
        );
        assert_eq!(
            texts(graph(vec![recall(json!(null), json!("i"))])),
            Vec::<String>::new()
        );
        assert_eq!(texts(graph(vec![recall(json!(null), json!(null))])).len(), 1);
        assert_eq!(texts(graph(vec![recall(json!(["q"]), json!("i"))])).len(), 1);
        assert_eq!(
            texts(graph(vec![action("end", json!([])), action("end", json!([]))])),
            [
                "states[2].name: states[1] is called `end` already",
                "states[3].name: states[1] is called `end` already"
            ]
        );
    }

    #[test]
    fn every_reference_must_be_a_living_version_with_the_state_asked_for() {
        let mut value = graph(vec![action("x", to(json!(["r.start", "end"])))]);
        value["references"] = json!({"r": ["0123456789abcdef01234567", 2]});
        let document = parse(value);
        let kinds = |referenced: Referenced| {
            check_references(&document, |_, _| referenced.clone())
                .iter()
                .map(|f| f.kind)
                .collect::<Vec<_>>()
        };
        assert_eq!(kinds(Referenced::NoSuchGraph), ["unknown_context_graph"]);
        assert_eq!(kinds(Referenced::Deprecated), ["deprecated_context_graph"]);
        assert_eq!(kinds(Referenced::NoSuchVersion), ["unknown_version"]);
        assert_eq!(kinds(Referenced::Yanked("it loops".into())), ["yanked_version"]);
        assert_eq!(kinds(Referenced::TooMuch), ["too_large"]);
        assert!(kinds(Referenced::Version(names(&graph(vec![])))).is_empty());
        let mut other = graph(vec![]);
        other["states"][0]["name"] = json!("begin");
        assert_eq!(kinds(Referenced::Version(names(&other))), ["unknown_state"]);
    }
}
