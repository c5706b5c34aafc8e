//! The structure of graphs, by example.

use serde_json::{Value, json};

use super::*;
use crate::context_graph::ContextGraphDocument;
use crate::diff::compare_context_graphs;

/// Compares two graphs and returns what is told beyond empty lists.
fn diff(from: &ContextGraphDocument, to: &ContextGraphDocument) -> Value {
    let mut told = json!(compare_context_graphs(from, to));
    told.as_object_mut().unwrap().retain(|_, part| *part != json!([]));
    told
}

fn ways(ways: &[(&str, &str)]) -> Value {
    let way = |(from, to): &(&str, &str)| json!({"from": from, "to": to, "jump_back": null});
    ways.iter().map(way).collect()
}

#[test]
fn a_new_way_round_a_state_leaves_it_unreachable() {
    let from = graph(vec![
        action("start", &[json!("middle")]),
        action("middle", &[json!("end")]),
        action("end", &[]),
    ]);
    let to = graph(vec![
        action("start", &[json!("end")]),
        action("middle", &[json!("end")]),
        action("end", &[]),
    ]);
    let exit = |op: &str, next: &str| json!({"op": op, "value": {"description": "d", "next_state": next}});
    let exits = json!({"field": "exit_conditions",
        "hunks": [{"from_line": 1, "to_line": 1, "lines": [exit("removed", "middle"), exit("added", "end")]}]});
    assert_eq!(
        diff(&from, &to),
        json!({"states_changed": [{"name": "start", "changes": [exits]}],
            "transitions_added": ways(&[("start", "end")]), "transitions_removed": ways(&[("start", "middle")]),
            "states_unreachable": ["middle"]})
    );
    // What could not be reached before is no news.
    assert!(diff(&to, &to).as_object().unwrap().is_empty());
    assert!(diff(&to, &from).get("states_unreachable").is_none());
}

#[test]
fn states_come_and_go_with_their_ways_and_tools() {
    let with_tool = |digit: u8| {
        let mut state = action("start", &[json!("end")]);
        state["action_tool_call_specs"] = json!([spec(digit), spec(3)]);
        state
    };
    let from = graph(vec![
        with_tool(1),
        action("end", &[]),
        thought("old", json!("end")),
    ]);
    let to = graph(vec![
        with_tool(2),
        action("end", &[]),
        thought("new", json!("end")),
    ]);
    let mut told = diff(&from, &to);
    told.as_object_mut().unwrap().remove("states_changed");
    assert_eq!(
        told,
        json!({"states_added": ["new"], "states_removed": ["old"], "states_unreachable": ["new"],
            "transitions_added": ways(&[("new", "end")]), "transitions_removed": ways(&[("old", "end")]),
            "tools_added": [tool(2)], "tools_removed": [tool(1)]})
    );
}

#[test]
fn a_way_into_another_graph_goes_on_where_it_comes_back() {
    let states = |back: &str| {
        vec![
            action("start", &[json!(["other.begin", back])]),
            thought("a", json!("end")),
            thought("b", json!("end")),
            action("end", &[]),
        ]
    };
    let (from, to) = (graph(states("a")), graph(states("b")));
    let way = |back: &str| json!([{"from": "start", "to": "other.begin", "jump_back": back}]);
    let told = diff(&from, &to);
    assert_eq!(told["transitions_added"], way("b"));
    assert_eq!(told["transitions_removed"], way("a"));
    assert_eq!(told["states_unreachable"], json!(["a"]));
}

#[test]
fn both_kinds_of_users_start_somewhere() {
    let states = || {
        vec![
            action("start", &[json!("end")]),
            action("again", &[json!("end")]),
            action("end", &[]),
        ]
    };
    let mut from = graph(states());
    from.returning_user_initial_state = "again".to_owned();
    let to = graph(states());
    assert_eq!(
        diff(&from, &to),
        json!({"states_unreachable": ["again"],
            "changes": [{"field": "returning_user_initial_state", "from": "again", "to": "start"}]})
    );
}

#[test]
fn a_condition_in_other_words_is_no_other_way() {
    let from = graph(vec![action("start", &[json!("end")]), action("end", &[])]);
    let mut state = action("start", &[json!("end")]);
    state["exit_conditions"][0]["description"] = json!("e");
    let told = diff(&from, &graph(vec![state, action("end", &[])]));
    assert_eq!(
        told.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["states_changed"]
    );
    assert_eq!(
        told["states_changed"][0]["changes"][0]["field"],
        "exit_conditions"
    );
}

#[test]
fn another_kind_of_state_is_a_change_of_its_fields() {
    let from = graph(vec![
        action("start", &[json!("x")]),
        thought("x", json!("end")),
        action("end", &[]),
    ]);
    let recall = json!({"type": "recall", "name": "x", "queries": ["q"], "requested_information": null,
        "next_state": "end"});
    let told = diff(
        &from,
        &graph(vec![action("start", &[json!("x")]), recall, action("end", &[])]),
    );
    assert_eq!(
        told,
        json!({"states_changed": [{"name": "x", "changes": [
            {"field": "type", "from": "annotation", "to": "recall"},
            {"field": "inner_thought", "from": "i", "to": null},
            {"field": "queries", "from": null, "to": ["q"]},
        ]}]})
    );
}

#[test]
fn what_is_not_a_state_is_told_by_field() {
    let from = graph(vec![action("start", &[json!("end")]), action("end", &[])]);
    let mut to = graph(vec![action("end", &[]), action("start", &[json!("end")])]);
    to.global_action_guidelines.push("g".to_owned());
    to.references
        .insert("r".to_owned(), (tool(1).parse().unwrap(), 2));
    assert_eq!(
        diff(&from, &to),
        json!({"changes": [
            {"field": "references.r", "from": null, "to": [tool(1), 2]},
            {"field": "global_action_guidelines",
                "hunks": [{"from_line": 1, "to_line": 1, "lines": [{"op": "added", "value": "g"}]}]},
            {"field": "states", "from": ["start", "end"], "to": ["end", "start"]},
        ]})
    );
}

#[test]
fn the_versions_of_the_example_differ_as_they_were_written() {
    let read = |text: &str| serde_json::from_str::<ContextGraphDocument>(text).unwrap();
    let first = read(include_str!("../../../../../examples/context_graph/v1.json"));
    let second = read(include_str!("../../../../../examples/context_graph/v2.json"));
    let told = compare_context_graphs(&first, &second);
    assert!(!told.is_empty());
    assert!(
        told.states_unreachable.is_empty(),
        "{:?}",
        told.states_unreachable
    );
    assert!(first.unreachable_states().is_empty() && second.unreachable_states().is_empty());
}
