//! Services: creation, lists, changes, and what a change of the agent or context graph does to the sets.

mod activate;
mod create;
mod fields;
mod list;
mod order;
mod rebind;
mod update;

use forge_testkit::{
    TestClient, TestResponse, TestServer, agent_version, context_graph_version, service_body, version_set,
};
use serde_json::{Value, json};

/// Returns the body with some fields replaced.
fn with(mut body: Value, changes: &Value) -> Value {
    body.as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    body
}

fn floating() -> Value {
    version_set(None, None)
}

/// Returns an agent and a context graph of that many versions each.
async fn binding(server: &TestServer, versions: usize) -> (String, String) {
    (server.agent(versions).await, server.context_graph(versions).await)
}

/// Returns an agent and a context graph of the other organization.
async fn foreign_binding(server: &TestServer) -> (String, String) {
    let (stranger, graphs) = (
        server.stranger(),
        "organization/service_hierarchical_state_machine",
    );
    let agent = stranger
        .post("organization/agent", json!({"agent_name": "Mira"}))
        .await
        .id();
    let graph = stranger
        .post(graphs, json!({"state_machine_name": "Care"}))
        .await
        .id();
    for (path, version) in [
        (format!("organization/agent/{agent}/"), agent_version()),
        (format!("{graphs}/{graph}/"), context_graph_version()),
    ] {
        assert_eq!(stranger.post(&path, version).await.status, 201);
    }
    (agent, graph)
}

/// Returns the body that creates a service on a new agent and graph.
async fn new_body(server: &TestServer, name: &str) -> Value {
    let (agent, graph) = binding(server, 1).await;
    service_body(name, &agent, &graph)
}

/// Creates a service and returns its id.
async fn create(server: &TestServer, body: Value) -> String {
    server.admin().post("service/", body).await.id()
}

/// Returns a service as the list has it.
async fn read(server: &TestServer, id: &str) -> Value {
    let answer = server.admin().get(&format!("service/?id={id}")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body["services"].as_array().unwrap().len(),
        1,
        "{}",
        answer.body
    );
    answer.body["services"][0].clone()
}

async fn update(server: &TestServer, id: &str, body: Value) -> TestResponse {
    server.admin().post(&format!("service/{id}/"), body).await
}

#[track_caller]
fn assert_updated(answer: &TestResponse) {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body, json!({}));
    assert!(answer.sequence().is_some());
}

async fn put_set(server: &TestServer, service: &str, set: &str, pins: Value) {
    let path = format!("service/{service}/version_sets/{set}/");
    let answer = server.admin().put(&path, json!({"version_set": pins})).await;
    assert_eq!(answer.status, 204, "{}", answer.body);
}

async fn delete_set(server: &TestServer, service: &str, set: &str) {
    let answer = server
        .admin()
        .delete(&format!("service/{service}/version_sets/{set}/"))
        .await;
    assert_eq!(answer.status, 204, "{}", answer.body);
}

async fn deprecate_agent(server: &TestServer, id: &str) {
    assert_eq!(
        server
            .admin()
            .delete(&format!("organization/agent/{id}/"))
            .await
            .status,
        200
    );
}

async fn deprecate_context_graph(server: &TestServer, id: &str) {
    let path = format!("organization/service_hierarchical_state_machine/{id}/");
    assert_eq!(server.admin().delete(&path).await.status, 200);
}

/// A service as far as lists sort it.
struct Row {
    id: String,
    name: &'static str,
    is_active: bool,
}

/// Creates services with equal names, some of them active, and returns them in order of creation.
async fn rows_with_ties(server: &TestServer) -> Vec<Row> {
    let (agent, graph) = binding(server, 1).await;
    let mut rows = Vec::new();
    for (name, is_active) in [
        ("b", false),
        ("a", true),
        ("é", true),
        ("b", true),
        ("a", false),
        ("B", false),
        ("a", false),
        ("ab", true),
        ("b", false),
    ] {
        let changes = json!({"is_active": is_active, "tags": {"letter": name.to_lowercase()}});
        let id = create(server, with(service_body(name, &agent, &graph), &changes)).await;
        rows.push(Row { id, name, is_active });
    }
    rows
}

/// Reads a list to its end and returns the ids of each page.
async fn pages(client: &TestClient, query: &str, limit: usize) -> Vec<Vec<String>> {
    let mut pages: Vec<Vec<String>> = Vec::new();
    let mut token = json!(0);
    while !token.is_null() {
        let answer = client
            .get(&format!(
                "service/?{query}&limit={limit}&continuation_token={token}"
            ))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let rows = answer.body["services"].as_array().unwrap();
        pages.push(
            rows.iter()
                .map(|row| row["id"].as_str().unwrap().to_owned())
                .collect(),
        );
        assert_eq!(
            answer.body["filter_values"].is_null(),
            token != json!(0),
            "only the first page has filter values"
        );
        token = answer.body["continuation_token"].clone();
        assert_eq!(answer.body["has_more"], json!(!token.is_null()));
        assert!(
            token.is_null() || rows.len() == limit,
            "only the last page may have room left"
        );
        assert!(pages.len() < 100, "paging ends");
    }
    pages
}

/// Returns the names of the services that a query finds, in its order.
async fn names(client: &TestClient, query: &str) -> Vec<String> {
    let answer = client.get(&format!("service/?limit=20&{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let rows = answer.body["services"].as_array().unwrap();
    rows.iter()
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}
