//! What two sets mean, and the contents of agents.

use serde_json::json;

use super::*;
use crate::diff::{Side, compare_agents, compare_sets};
use crate::model::ModelPreferences;
use crate::version_set::ResolvedPins;

fn side(versions: (i64, i64), preferences: &ModelPreferences) -> Side<'_> {
    Side {
        agent_id: tool(1).parse().unwrap(),
        context_graph_id: tool(2).parse().unwrap(),
        resolved: ResolvedPins {
            agent_version: versions.0.try_into().ok(),
            context_graph_version: versions.1.try_into().ok(),
        },
        model_preferences: preferences,
    }
}

#[test]
fn sets_that_mean_the_same_have_nothing_to_tell() {
    let none = ModelPreferences::new();
    let diff = compare_sets(&side((1, 2), &none), &side((1, 2), &none), None, None);
    assert!(diff.is_empty());
    assert_eq!(
        json!(diff),
        json!({"pins": [], "llm_model_preferences": [], "agent": null, "service_hierarchical_state_machine": null})
    );
}

#[test]
fn versions_with_the_same_content_differ_in_their_numbers_only() {
    let none = ModelPreferences::new();
    let (one, graph) = (agent(1), graph(vec![action("start", &[])]));
    let diff = compare_sets(
        &side((1, 2), &none),
        &side((2, 3), &none),
        Some((&one, &one)),
        Some((&graph, &graph)),
    );
    assert!(!diff.is_empty() && diff.agent.is_none() && diff.context_graph.is_none());
    assert_eq!(
        json!(diff.pins),
        json!([{"field": "agent_version_number", "from": 1, "to": 2},
            {"field": "service_hierarchical_state_machine_version_number", "from": 2, "to": 3}])
    );
}

#[test]
fn another_agent_under_the_same_number_is_another_agent() {
    let none = ModelPreferences::new();
    let base = side((1, 2), &none);
    let head = Side {
        agent_id: tool(3).parse().unwrap(),
        ..base
    };
    let diff = compare_sets(&base, &head, Some((&agent(1), &agent(1))), None);
    assert_eq!(
        json!(diff.pins),
        json!([{"field": "agent_id", "from": tool(1), "to": tool(3)}])
    );
}

#[test]
fn models_are_told_by_interaction_and_field() {
    let base: ModelPreferences = serde_json::from_value(json!({
        "decide": {"llm_name": "a", "params": {"temperature": 0.5, "top_p": 1}},
        "gone": {"llm_name": "a"},
        "same": {"llm_name": "a"},
    }))
    .unwrap();
    let head: ModelPreferences = serde_json::from_value(json!({
        "new": {"llm_name": "b"},
        "same": {"llm_name": "a"},
        "decide": {"llm_name": "b", "params": {"temperature": 0.7, "top_k": 3, "top_p": 1}},
    }))
    .unwrap();
    let diff = compare_sets(&side((1, 2), &base), &side((1, 2), &head), None, None);
    let change = |interaction: &str, field: Option<&str>, from, to| json!({"interaction": interaction, "field": field, "from": from, "to": to});
    assert_eq!(
        json!(diff.llm_model_preferences),
        json!([
            change("decide", Some("llm_name"), json!("a"), json!("b")),
            change("decide", Some("params.temperature"), json!(0.5), json!(0.7)),
            change("decide", Some("params.top_k"), json!(null), json!(3)),
            change("gone", None, json!({"llm_name": "a", "params": {}}), json!(null)),
            change("new", None, json!(null), json!({"llm_name": "b", "params": {}})),
        ])
    );
}

#[test]
fn an_agent_is_told_by_field_and_prose_by_lines() {
    let from = agent(1);
    let mut to = from.clone();
    to.identity.role = "Receptionist".to_owned();
    to.background.push_str("\nIt has moved.");
    to.behaviors.remove(1);
    let diff = compare_agents(&from, &to);
    let fields: Vec<&str> = diff.changes.iter().map(crate::diff::FieldDiff::field).collect();
    assert_eq!(fields, ["identity.role", "background", "behaviors"]);
    let told = json!(diff.changes);
    let added = told[1]["hunks"][0]["lines"].as_array().unwrap().last().unwrap();
    assert_eq!(added, &json!({"op": "added", "value": "It has moved."}));
    assert_eq!(
        told[2]["hunks"],
        json!([{"from_line": 2, "to_line": 2, "lines": [{"op": "removed", "value": from.behaviors[1]}]}])
    );
    for version in [2, 3] {
        assert!(!compare_agents(&agent(1), &agent(version)).is_empty());
    }
}
