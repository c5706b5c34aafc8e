//! Bodies for tests.

use serde_json::{Value, json};

/// Returns a complete first version of an agent.
pub fn agent_version() -> Value {
    serde_json::from_str(include_str!("../../../examples/agent/v1.json")).unwrap()
}

/// Returns a version of a context graph.
pub fn context_graph_version() -> Value {
    serde_json::from_str(include_str!("../../../examples/context_graph/v1.json")).unwrap()
}

/// Returns the body that creates an active service.
pub fn service_body(name: &str, agent_id: &str, context_graph_id: &str) -> Value {
    json!({"name": name, "description": "For a test.", "agent_id": agent_id,
        "service_hierarchical_state_machine_id": context_graph_id, "is_active": true, "keyterms": [], "tags": {}})
}

/// Returns what a set pins, without models.
pub fn version_set(agent: impl Into<Option<i64>>, context_graph: impl Into<Option<i64>>) -> Value {
    json!({"agent_version_number": agent.into(),
        "service_hierarchical_state_machine_version_number": context_graph.into(), "llm_model_preferences": {}})
}
