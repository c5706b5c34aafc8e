//! What a server answers from memory: at once after its own writes, soon after those of others, and while the database
//! is away.

mod database;
mod servers;
mod writes;

use std::time::Duration;

use axum::http::Method;
use forge_testkit::{Engine, TestClient, TestDatabase, TestResponse, agent_version, version_set};
use serde_json::json;

/// How long something may take that has to happen soon.
const SOON: Duration = Duration::from_secs(20);

fn sets(service: &str) -> String {
    format!("service/{service}/version_sets")
}

async fn resolve(client: &TestClient, service: &str, set: &str) -> TestResponse {
    client.get(&format!("{}/{set}/resolve", sets(service))).await
}

async fn resolved_agent(client: &TestClient, service: &str, set: &str) -> i64 {
    let answer = resolve(client, service, set).await;
    answer.body["agent_version_info"][1]
        .as_i64()
        .unwrap_or_else(|| panic!("{}", answer.body))
}

async fn put(client: &TestClient, service: &str, set: &str, agent: i64) -> TestResponse {
    let body = json!({"version_set": version_set(agent, 1)});
    client.put(&format!("{}/{set}/", sets(service)), body).await
}

async fn add_agent_version(client: &TestClient, agent: &str) -> TestResponse {
    let mut version = agent_version();
    version["initials"] = json!("NV");
    client
        .post(&format!("organization/agent/{agent}/"), version)
        .await
}

async fn with_sequence(client: &TestClient, path: &str, sequence: &str) -> TestResponse {
    let headers = [("Forge-Min-Sequence", sequence)];
    client
        .send_raw(Method::GET, path, &headers, None, Vec::new())
        .await
}

/// Creates the last change another one, which pins another version.
async fn elsewhere(database: &TestDatabase, set: &str, agent: i64) {
    let unlock = match database.engine {
        Engine::Sqlite => "DROP TRIGGER IF EXISTS audit_event_no_update",
        Engine::Postgres => "ALTER TABLE audit_event DISABLE TRIGGER ALL",
    };
    let last = "(SELECT MAX(sequence) FROM audit_event)";
    database
        .tamper(&format!(
            "{unlock}; UPDATE version_set SET agent_version = {agent} WHERE name = '{set}';
             UPDATE audit_event SET hash = 'of another change, {agent}' WHERE sequence = {last}"
        ))
        .await;
}

/// Waits until the answer fulfils a condition.
async fn eventually(
    ask: impl AsyncFn() -> TestResponse,
    is_fulfilled: impl Fn(&TestResponse) -> bool,
) -> TestResponse {
    let deadline = std::time::Instant::now() + SOON;
    loop {
        let answer = ask().await;
        if is_fulfilled(&answer) {
            return answer;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "{} {:?} {}",
            answer.status,
            answer.headers,
            answer.body
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
