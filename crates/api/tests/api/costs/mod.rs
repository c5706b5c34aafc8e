//! What a request costs at most: how much is told of faults, and who is refused before anything is done for them.

mod answers;
mod rights;
mod roles;
mod work;

use std::time::Duration;

use axum::http::Method;
use forge_testkit::{TestClient, TestResponse, TestServer};
use serde_json::{Map, Value, json};

/// How large the body of a failure is at most.
const MOST_BYTES: usize = 64 * 1024;

/// How long something may take that does not wait for anybody.
const SOON: Duration = Duration::from_secs(20);

async fn post_bytes(client: &TestClient, path: &str, headers: &[(&str, &str)], body: &[u8]) -> TestResponse {
    let json = Some("application/json");
    client
        .send_raw(Method::POST, path, headers, json, body.to_vec())
        .await
}

/// Returns the super administrator, on a server that admits as large bodies as it does by default.
fn admin(server: &TestServer) -> TestClient {
    let limits = forge_api::Limits {
        max_body_bytes: 4 * 1024 * 1024,
        ..forge_testkit::limits()
    };
    TestClient {
        router: server.router_with(limits),
        ..server.admin().clone()
    }
}

#[track_caller]
fn assert_status(answer: &TestResponse, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.body);
}

fn assert_small(answer: &TestResponse) {
    let bytes = answer.body.to_string().len();
    assert!(bytes <= MOST_BYTES, "{} with {bytes} bytes", answer.status);
}

/// Returns a body of a set that prefers a model in a thousand interactions, as large as it may be.
fn many_preferences(prefix: &str, model: &str) -> Value {
    let preference = json!({"llm_name": model, "params": {}});
    let preferences: Map<String, Value> = (0..1000)
        .map(|number| (format!("{prefix}{number:_>190}"), preference.clone()))
        .collect();
    json!({"version_set": {"agent_version_number": 1, "service_hierarchical_state_machine_version_number": 1,
        "llm_model_preferences": preferences}})
}

/// Returns a role with these grants.
fn role(grants: Value) -> Value {
    json!({"role_name": "Large", "description": "d", "frontend_view": "client", "permission_grants": grants})
}
