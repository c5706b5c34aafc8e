//! API keys: creating, listing and ending them, and what is done with their tokens.

mod actor;
mod create;
mod delete;
mod list;

use forge_testkit::{TestClient, TestResponse};
use serde_json::{Value, json};

use crate::support::users::sign_in;

const KEYS: &str = "organization/api_key/";

fn key_body(role: &str, duration: &str) -> Value {
    json!({"name": "a key", "role_name": role, "duration": duration})
}

async fn create(client: &TestClient, role: &str) -> TestResponse {
    client.post(KEYS, key_body(role, "P1D")).await
}

/// Returns the id and the secret of a new key.
#[track_caller]
fn parts(created: &TestResponse) -> [&str; 2] {
    assert_eq!(created.status, 201, "{}", created.body);
    ["api_key_id", "api_key"].map(|field| created.body[field].as_str().unwrap())
}

async fn delete(client: &TestClient, key_id: &str) -> TestResponse {
    client.delete(&format!("organization/api_key/{key_id}/")).await
}

async fn list(client: &TestClient) -> Vec<Value> {
    let found = client.get(KEYS).await;
    assert_eq!(found.status, 200, "{}", found.body);
    found.body["api_keys"].as_array().unwrap().clone()
}

/// Returns the user, signed in with the key.
async fn through(user: &TestClient, key: [&str; 2]) -> TestClient {
    let session = sign_in(user, &user.user_id, key).await;
    assert_eq!(session.status, 200, "{}", session.body);
    user.with_token(session.body["id_token"].as_str().unwrap())
}
