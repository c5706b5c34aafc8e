//! A service whose versions are released, and what is said of its plans.

use axum::http::Method;
use forge_testkit::{TestClient, TestResponse, TestServer, version_set};
use serde_json::{Value, json};

/// One service and whoever releases it.
pub(crate) struct Release {
    pub(crate) client: TestClient,
    pub(crate) service: String,
}

impl Release {
    pub(crate) async fn new(server: &TestServer, versions: usize) -> Self {
        let service = server.service(versions).await;
        let client = server.admin().clone();
        Self { client, service }
    }

    pub(crate) fn sets(&self) -> String {
        format!("service/{}/version_sets", self.service)
    }

    pub(crate) fn set(&self, name: &str) -> String {
        format!("{}/{name}/", self.sets())
    }

    pub(crate) async fn put(&self, set: &str, pins: Value) {
        let answer = self
            .client
            .put(&self.set(set), json!({"version_set": pins}))
            .await;
        assert_eq!(answer.status, 204, "{}", answer.body);
    }

    pub(crate) async fn post(&self, set: &str, verb: &str, body: Value) -> TestResponse {
        self.client
            .post(&format!("{}/{set}/{verb}", self.sets()), body)
            .await
    }

    pub(crate) async fn promote(&self, source: &str, target: &str) -> TestResponse {
        self.post(target, "promote", json!({"source": source})).await
    }

    /// Promotes by pinning a set first: what `release` runs is told by its agent's version.
    pub(crate) async fn release(&self, agent: i64) -> TestResponse {
        self.put("preview", version_set(agent, 1)).await;
        let answer = self
            .post(
                "release",
                "promote",
                json!({"source": "preview", "lift_hold": true}),
            )
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer
    }

    pub(crate) async fn roll_back(&self) -> TestResponse {
        self.post("release", "rollback", json!({})).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> TestResponse {
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        self.client
            .send_raw(method, path, headers, Some("application/json"), body)
            .await
    }

    pub(crate) async fn get(&self, set: &str) -> Value {
        let answer = self.client.get(&self.set(set)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    /// Returns the agent's version that a set pins.
    pub(crate) async fn agent(&self, set: &str) -> Option<i64> {
        self.get(set).await["pins"]["agent_version_number"].as_i64()
    }

    pub(crate) async fn history(&self, set: &str) -> Vec<Value> {
        let answer = self
            .client
            .get(&format!("{}/{set}/history?limit=100", self.sets()))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["revisions"].as_array().unwrap().clone()
    }

    pub(crate) async fn add_agent_version(&self) {
        self.add_agent_version_with(json!({"initials": "N"})).await;
    }

    /// Adds a version of the agent that differs in these fields.
    pub(crate) async fn add_agent_version_with(&self, fields: Value) {
        let found = self.client.get(&format!("service/?id={}", self.service)).await;
        let agent = found.body["services"][0]["agent_id"].as_str().unwrap().to_owned();
        let answer = self
            .client
            .post(&format!("organization/agent/{agent}/"), fields)
            .await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }
}

pub(crate) fn codes(findings: &Value) -> Vec<&str> {
    let findings = findings.as_array().unwrap().iter();
    findings
        .map(|finding| finding["code"].as_str().unwrap())
        .collect()
}

#[track_caller]
pub(crate) fn assert_applied(answer: &TestResponse, revision: i64) {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        (&answer.body["applied"], &answer.body["revision"]),
        (&json!(true), &json!(revision))
    );
    assert!(answer.sequence().is_some(), "a write tells its change number");
}

#[track_caller]
pub(crate) fn assert_blocked(answer: &TestResponse, expected: &[&str]) {
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(codes(&answer.body["plan"]["blockers"]), expected);
    assert!(answer.sequence().is_none());
}
