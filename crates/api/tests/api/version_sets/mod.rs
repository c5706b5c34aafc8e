//! Version sets: what they pin, what that means now, who may change them, and the trace that each change leaves.

mod audit;
mod delete;
mod get;
mod permissions;
mod pins;
mod resolution;
mod upsert;

use forge_domain::SetName;
use forge_testkit::{TestResponse, TestServer};
use serde_json::{Value, json};

fn path(service: &str, set: &str) -> String {
    format!("service/{service}/version_sets/{set}/")
}

async fn put(server: &TestServer, service: &str, set: &str, pins: Value) -> TestResponse {
    server
        .admin()
        .put(&path(service, set), json!({"version_set": pins}))
        .await
}

/// Writes a set and returns the change number, if anything was written.
async fn upsert(server: &TestServer, service: &str, set: &str, pins: Value) -> Option<i64> {
    let answer = put(server, service, set, pins).await;
    assert_eq!(answer.status, 204, "{}", answer.body);
    assert_eq!(answer.body, Value::Null);
    answer.sequence()
}

async fn delete(server: &TestServer, service: &str, set: &str) -> TestResponse {
    server.admin().delete(&path(service, set)).await
}

async fn get(server: &TestServer, service: &str, set: &str) -> TestResponse {
    server.admin().get(&path(service, set)).await
}

/// Returns what one set is told to be.
async fn read(server: &TestServer, service: &str, set: &str) -> Value {
    let answer = get(server, service, set).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

async fn resolve(server: &TestServer, service: &str, set: &str) -> TestResponse {
    server
        .admin()
        .get(&format!("{}resolve", path(service, set)))
        .await
}

/// Returns the agent and the context graph of a service.
async fn binding(server: &TestServer, service: &str) -> (String, String) {
    let answer = server.admin().get(&format!("service/?id={service}")).await;
    let field = |name: &str| answer.body["services"][0][name].as_str().unwrap().to_owned();
    (field("agent_id"), field("service_hierarchical_state_machine_id"))
}

/// Adds a version to an agent; its initials tell it from the others.
async fn add_agent_version(server: &TestServer, agent: &str, initials: &str) {
    let body = json!({"initials": initials});
    assert_eq!(
        server
            .admin()
            .post(&format!("organization/agent/{agent}/"), body)
            .await
            .status,
        201
    );
}

async fn names(server: &TestServer, service: &str) -> Vec<String> {
    let answer = server
        .admin()
        .get(&format!("service/{service}/version_sets/"))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let sets = answer.body["version_sets"].as_array().unwrap();
    sets.iter()
        .map(|set| set["name"].as_str().unwrap().to_owned())
        .collect()
}

fn name(set: &str) -> SetName {
    set.parse().unwrap()
}
