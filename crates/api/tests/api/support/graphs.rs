//! The states and the contents of context graphs.

use forge_testkit::KNOWN_TOOL;
use serde_json::{Value, json};

pub(crate) fn action(name: &str, exits: &[Value]) -> Value {
    json!({"type": "action", "name": name, "objective": "o", "actions": ["a"],
        "intra_state_navigation_guidelines": [], "action_guidelines": [], "boundary_constraints": [],
        "exit_conditions": exits, "action_tool_call_specs": [], "exit_condition_tool_call_specs": [],
        "skip_active_memory_retrieval": false})
}

pub(crate) fn decision(name: &str, exits: &[Value]) -> Value {
    json!({"type": "decision", "name": name, "objective": "o", "decision_guidelines": [],
        "exit_conditions": exits, "tool_call_specs": [], "audio_fillers": [],
        "audio_filler_triggered_after": 2.5})
}

pub(crate) fn recall(name: &str, queries: Value, requested_information: Value, next: Value) -> Value {
    json!({"type": "recall", "name": name, "queries": queries, "requested_information": requested_information,
        "next_state": next})
}

pub(crate) fn annotation(name: &str, next: Value) -> Value {
    json!({"type": "annotation", "name": name, "inner_thought": "i", "next_state": next})
}

pub(crate) fn reflection(name: &str, next: Value) -> Value {
    json!({"type": "reflection", "name": name, "problem": "p", "word_limit": 50, "next_state": next,
        "tool_call_specs": [], "audio_fillers": ["Hm."], "audio_filler_triggered_after": 2.5})
}

pub(crate) fn tool_call(name: &str, next: Value, tool: &str) -> Value {
    json!({"type": "tool-call", "name": name, "next_state": next, "designated_tool": tool_spec(tool),
        "designated_tool_call_params_generation_audio_fillers": [],
        "designated_tool_call_params_generation_audio_filler_triggered_after": 0.5,
        "designated_tool_call_objective": "o", "designated_tool_call_context": "c",
        "designated_tool_call_guidances": [], "designated_tool_call_validations": [], "tool_call_specs": []})
}

pub(crate) fn tool_spec(tool: &str) -> Value {
    json!({"tool_id": tool, "version_constraint": ">=1.0", "additional_instruction": "i",
        "audio_fillers": ["So."], "audio_filler_triggered_after": 9.5,
        "result_persistence": "persisted-preferred"})
}

/// A way out of an action or decision state.
pub(crate) fn to(next: impl Into<Value>) -> Value {
    json!({"description": "d", "next_state": next.into()})
}

/// A graph of the states `start` and `end`, and of more.
pub(crate) fn graph(more: &[Value]) -> Value {
    let mut states = vec![action("start", &[to("end")]), action("end", &[])];
    states.extend_from_slice(more);
    json!({"description": "d", "states": states, "new_user_initial_state": "start",
        "returning_user_initial_state": "start", "terminal_state": "end", "references": {},
        "global_intra_state_navigation_guidelines": [], "global_action_guidelines": [],
        "global_boundary_constraints": []})
}

/// A graph with one state of every type.
pub(crate) fn graph_of_every_type() -> Value {
    graph(&[
        decision("d", &[to("start"), to("r")]),
        recall("r", json!(["q"]), json!(null), json!("n")),
        annotation("n", json!("f")),
        reflection("f", json!("t")),
        tool_call("t", json!("end"), KNOWN_TOOL),
    ])
}
