//! Tests of what differs between documents and sets.

mod graphs;
mod properties;
mod sets;

use serde_json::{Value, json};

use crate::agent::AgentDocument;
use crate::context_graph::ContextGraphDocument;

/// A tool, told apart by a digit.
fn tool(digit: u8) -> String {
    format!("{digit}").repeat(24)
}

fn spec(digit: u8) -> Value {
    json!({"tool_id": tool(digit), "version_constraint": "1", "additional_instruction": "", "audio_fillers": [],
        "audio_filler_triggered_after": 1.0, "result_persistence": "ephemeral"})
}

/// An action state that leads to each of these.
fn action(name: &str, exits: &[Value]) -> Value {
    let exits: Vec<Value> = exits
        .iter()
        .map(|next| json!({"description": "d", "next_state": next}))
        .collect();
    json!({"type": "action", "name": name, "objective": "o", "actions": ["a"],
        "intra_state_navigation_guidelines": [], "action_guidelines": [], "boundary_constraints": [],
        "exit_conditions": exits, "action_tool_call_specs": [], "exit_condition_tool_call_specs": [],
        "skip_active_memory_retrieval": false})
}

fn thought(name: &str, next: Value) -> Value {
    json!({"type": "annotation", "name": name, "inner_thought": "i", "next_state": next})
}

/// A graph that starts in `start` and ends in `end`.
fn graph(states: Vec<Value>) -> ContextGraphDocument {
    let graph = json!({"description": "d", "states": states, "new_user_initial_state": "start",
        "returning_user_initial_state": "start", "terminal_state": "end", "references": {},
        "global_intra_state_navigation_guidelines": [], "global_action_guidelines": [],
        "global_boundary_constraints": []});
    serde_json::from_value(graph).unwrap()
}

fn agent(version: u8) -> AgentDocument {
    let text = match version {
        1 => include_str!("../../../../examples/agent/v1.json"),
        2 => include_str!("../../../../examples/agent/v2.json"),
        _ => include_str!("../../../../examples/agent/v3.json"),
    };
    let change: crate::agent::AgentChange = serde_json::from_str(text).unwrap();
    let first = serde_json::from_str::<AgentDocument>(include_str!("../../../../examples/agent/v1.json"));
    change.apply(Some(first.unwrap())).unwrap()
}
