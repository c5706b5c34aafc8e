//! Requests that nobody should send: each is refused in JSON, says what is wrong, and changes nothing.

mod bodies;
mod requests;
mod values;

use axum::http::Method;
use forge_testkit::{TestClient, TestResponse, TestServer, agent_version, service_body, version_set};
use serde_json::{Value, json};

use crate::support::graphs::graph_of_every_type;

/// An operation that reads a body.
struct Target {
    method: Method,
    path: String,
    /// A body that it accepts.
    body: Value,
}

impl Target {
    fn post(path: impl Into<String>, body: Value) -> Self {
        Self {
            method: Method::POST,
            path: path.into(),
            body,
        }
    }

    async fn send(&self, client: &TestClient, body: impl Into<Vec<u8>>) -> TestResponse {
        self.send_as(client, Some("application/json"), body).await
    }

    async fn send_as(
        &self,
        client: &TestClient,
        content_type: Option<&str>,
        body: impl Into<Vec<u8>>,
    ) -> TestResponse {
        client
            .send_raw(self.method.clone(), &self.path, &[], content_type, body.into())
            .await
    }

    /// Returns the accepted body with something before its first field.
    fn body_after(&self, fields: &[u8]) -> Vec<u8> {
        [b"{", fields, b",", &self.body.to_string().as_bytes()[1..]].concat()
    }

    /// Returns the accepted body with blanks behind it, so that it has a certain length.
    fn padded(&self, length: usize) -> Vec<u8> {
        let mut body = self.body.to_string().into_bytes();
        body.resize(length, b' ');
        body
    }
}

/// Every operation that reads a body.
///
/// Each body is accepted once, in any order.
async fn targets(server: &TestServer) -> Vec<Target> {
    const GRAPHS: &str = "organization/service_hierarchical_state_machine";
    let (agent, graph) = (server.agent(1).await, server.context_graph(1).await);
    let service = server
        .admin()
        .post("service/", service_body("a service", &agent, &graph))
        .await
        .id();
    let mut document = graph_of_every_type();
    document["references"] = json!({"other": [graph, 1]});
    let mut set = version_set(1, 1);
    set["llm_model_preferences"] =
        json!({"somewhere": {"llm_name": "openai_gpt-5.2-2025-12-11", "params": {}}});
    let mut new_service = service_body("another service", &agent, &graph);
    new_service["tags"] = json!({"team": "care"});
    new_service["keyterms"] = json!(["tooth"]);
    let mut update = new_service.clone();
    update["name"] = json!("a renamed service");
    new_service["release_version_set"] = set.clone();
    let path = format!("service/{service}/version_sets/test/");
    vec![
        Target::post("organization/agent", json!({"agent_name": "new"})),
        Target::post(format!("organization/agent/{agent}/"), agent_version()),
        Target::post(GRAPHS, json!({"state_machine_name": "new"})),
        Target::post(format!("{GRAPHS}/{graph}/"), document),
        Target::post("service/", new_service),
        Target::post(format!("service/{service}/"), update),
        Target {
            method: Method::PUT,
            path,
            body: json!({"version_set": set}),
        },
    ]
}

/// Everything that the requests of this file could change.
async fn state(server: &TestServer) -> Vec<Value> {
    let organization = server.admin().organization.parse().unwrap();
    let found = server
        .app
        .store
        .read()
        .await
        .unwrap()
        .find_organization(&organization)
        .await
        .unwrap();
    let mut state = vec![json!(found.unwrap().change_number)];
    for path in [
        "organization/agent",
        "organization/service_hierarchical_state_machine",
        "service/",
    ] {
        state.push(server.admin().get(path).await.body);
    }
    state
}

/// Asserts that an answer is a refusal that a client can read.
#[track_caller]
fn assert_refused(answer: &TestResponse, status: u16, request: &str) {
    assert_eq!(answer.status, status, "{request}: {}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.sequence(), None);
    let is_told = if status == 422 {
        !answer.faults().is_empty()
    } else {
        !answer.detail().is_empty()
    };
    assert!(is_told, "{request}: {}", answer.body);
}

/// Sends each operation every body that the function makes for it, and asserts that each is refused with the
/// fault that stands beside it and that nothing changed.
async fn refuses_bodies(server: &TestServer, bodies: impl Fn(&Target) -> Vec<(Vec<u8>, String)>) {
    let targets = targets(server).await;
    let before = state(server).await;
    for target in &targets {
        for (body, fault) in bodies(target) {
            let shown = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
            let answer = target.send(server.admin(), body).await;
            assert_refused(&answer, 422, &format!("{} {shown}", target.path));
            assert!(
                answer.faults().contains(&fault),
                "{fault} of {shown}: {}",
                answer.body
            );
        }
    }
    assert_eq!(state(server).await, before);
}
