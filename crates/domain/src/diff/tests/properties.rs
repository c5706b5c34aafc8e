//! What holds for any two documents.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::agent::VoiceConfig;
use crate::context_graph::State;
use crate::diff::{compare_agents, compare_context_graphs};

/// States are called by these; `nowhere` is never one of them.
const NAMES: [&str; 6] = ["start", "a", "b", "c", "d", "end"];

fn any_next() -> impl Strategy<Value = Value> {
    let name = || prop::sample::select([NAMES.as_slice(), &["nowhere"]].concat());
    prop_oneof![
        4 => name().prop_map(Value::from),
        1 => name().prop_map(|back| json!(["other.start", back])),
    ]
}

/// A state of any kind that has ways or tools of its own.
fn any_state(name: &'static str) -> impl Strategy<Value = State> {
    let read = |state: Value| serde_json::from_value::<State>(state).unwrap();
    let talks = (
        prop::collection::vec(any_next(), 0..3),
        prop::collection::vec(1..4u8, 0..3),
        any::<bool>(),
    );
    prop_oneof![
        talks.prop_map(move |(exits, tools, flag)| {
            let mut state = action(name, &exits);
            state["action_tool_call_specs"] = tools.into_iter().map(spec).collect();
            state["skip_active_memory_retrieval"] = flag.into();
            read(state)
        }),
        any_next().prop_map(move |next| read(thought(name, next))),
    ]
}

fn any_graph() -> impl Strategy<Value = ContextGraphDocument> {
    let names = prop::sample::subsequence(NAMES.to_vec(), 0..=NAMES.len()).prop_shuffle();
    let states = names.prop_flat_map(|names| names.into_iter().map(any_state).collect::<Vec<_>>());
    let initial = || prop::sample::select(NAMES.to_vec());
    (states, initial(), initial(), "[ab\n]{0,4}").prop_map(|(states, new, returning, description)| {
        let mut graph = graph(vec![]);
        graph.states = states;
        new.clone_into(&mut graph.new_user_initial_state);
        returning.clone_into(&mut graph.returning_user_initial_state);
        graph.description = description;
        graph
    })
}

fn any_agent() -> impl Strategy<Value = AgentDocument> {
    let text = || "[ab\n]{0,4}";
    let texts = || prop::collection::vec("[ab]?", 0..4);
    (text(), text(), texts(), texts(), text()).prop_map(
        |(initials, background, behaviors, patterns, voice_id)| AgentDocument {
            initials,
            background,
            behaviors,
            communication_patterns: patterns,
            voice_config: VoiceConfig { voice_id },
            ..agent(1)
        },
    )
}

/// Finds what cannot be reached by following every way until nothing more is found.
fn naively_unreachable(graph: &ContextGraphDocument) -> BTreeSet<String> {
    let is_state = |name: &str| graph.states.iter().any(|state| state.name() == name);
    let mut reached: BTreeSet<String> = [&graph.new_user_initial_state, &graph.returning_user_initial_state]
        .into_iter()
        .filter(|name| is_state(name))
        .cloned()
        .collect();
    for _ in 0..graph.states.len() {
        for state in &graph.states {
            if !reached.contains(state.name()) {
                continue;
            }
            // Reads the wire's form, so that it shares nothing with what is tested.
            let state = json!(state);
            let exits = state["exit_conditions"].as_array().into_iter().flatten();
            let ways = exits
                .map(|exit| &exit["next_state"])
                .chain(state.get("next_state"));
            for way in ways {
                let name = way.as_str().unwrap_or_else(|| way[1].as_str().unwrap());
                if is_state(name) {
                    reached.insert(name.to_owned());
                }
            }
        }
    }
    let names = graph.states.iter().map(|state| state.name().to_owned());
    names.filter(|name| !reached.contains(name)).collect()
}

proptest! {
    #[test]
    fn a_graph_does_not_differ_from_itself(graph in any_graph()) {
        prop_assert!(compare_context_graphs(&graph, &graph).is_empty());
    }

    #[test]
    fn graphs_that_are_not_the_same_differ(from in any_graph(), to in any_graph()) {
        prop_assert_eq!(compare_context_graphs(&from, &to).is_empty(), from == to);
    }

    #[test]
    fn a_single_other_field_of_a_graph_is_seen(graph in any_graph(), field in 0..4usize) {
        let mut other = graph.clone();
        match field {
            0 => other.global_boundary_constraints.push(String::new()),
            1 => other.terminal_state.push('x'),
            2 => other.states.reverse(),
            _ => other.states.truncate(1),
        }
        prop_assert_eq!(compare_context_graphs(&graph, &other).is_empty(), graph == other);
    }

    #[test]
    fn what_is_added_one_way_round_is_removed_the_other(from in any_graph(), to in any_graph()) {
        let (there, back) = (compare_context_graphs(&from, &to), compare_context_graphs(&to, &from));
        prop_assert_eq!(&there.states_added, &back.states_removed);
        prop_assert_eq!(&there.states_removed, &back.states_added);
        prop_assert_eq!(&there.transitions_added, &back.transitions_removed);
        prop_assert_eq!(&there.transitions_removed, &back.transitions_added);
        prop_assert_eq!(&there.tools_added, &back.tools_removed);
        prop_assert_eq!(&there.tools_removed, &back.tools_added);
        let changed = |diff: &crate::diff::ContextGraphDiff| {
            let states = diff.states_changed.iter();
            states.map(|state| (state.name.clone(), state.changes.len())).collect::<BTreeSet<_>>()
        };
        prop_assert_eq!(changed(&there), changed(&back));
        prop_assert_eq!(there.changes.len(), back.changes.len());
    }

    #[test]
    fn every_difference_that_is_told_is_there(from in any_graph(), to in any_graph()) {
        let diff = compare_context_graphs(&from, &to);
        prop_assert!(diff.states_changed.iter().all(|state| !state.changes.is_empty()));
        prop_assert!(diff.states_added.iter().all(|name| to.state(name).is_some() && from.state(name).is_none()));
        for way in &diff.transitions_added {
            let next = match &way.jump_back {
                None => json!(way.to),
                Some(back) => json!([way.to, back]),
            };
            let has_way = |graph: &ContextGraphDocument| {
                graph.state(&way.from).is_some_and(|state| state.ways_out().any(|way| json!(way) == next))
            };
            prop_assert!(has_way(&to) && !has_way(&from));
        }
    }

    #[test]
    fn unreachable_states_are_those_that_a_naive_search_does_not_find(from in any_graph(), to in any_graph()) {
        let (before, after) = (naively_unreachable(&from), naively_unreachable(&to));
        let found: BTreeSet<String> = to.unreachable_states().into_iter().map(str::to_owned).collect();
        prop_assert_eq!(&found, &after);
        let new: BTreeSet<String> = compare_context_graphs(&from, &to).states_unreachable.into_iter().collect();
        prop_assert_eq!(new, after.difference(&before).cloned().collect::<BTreeSet<_>>());
    }

    #[test]
    fn agents_differ_if_they_are_not_the_same(from in any_agent(), to in any_agent()) {
        prop_assert!(compare_agents(&from, &from).is_empty());
        prop_assert_eq!(compare_agents(&from, &to).is_empty(), from == to);
        let fields = |diff: crate::diff::AgentDiff| diff.changes.iter().map(|c| c.field().to_owned()).collect::<Vec<_>>();
        prop_assert_eq!(fields(compare_agents(&from, &to)), fields(compare_agents(&to, &from)));
    }
}
