//! Grants for a while.

mod end;
mod give;
mod list;

use forge_testkit::{TestClient, TestResponse};
use serde_json::{Value, json};

use crate::support::pages::pages;

const CREATE: &str = "role/temporary_permission_grant/";

const LIST: &str = "role/temporary_permission_grants/";

const AGENTS: &str = "organization/agent";

fn body(user_id: &str, granted: &Value, duration: &str) -> Value {
    json!({"user_id": user_id, "duration": duration, "permission_grant": granted, "tags": {},
        "justification": "to help out"})
}

async fn give(client: &TestClient, user_id: &str, granted: &Value) -> TestResponse {
    client.post(CREATE, body(user_id, granted, "PT30M")).await
}

async fn assign(client: &TestClient, role: &str, user: &TestClient) -> TestResponse {
    client
        .post(&format!("role/{role}/assign"), json!({"user_id": user.user_id}))
        .await
}

/// Returns the id of the grant that was given.
#[track_caller]
fn given(answer: &TestResponse) -> String {
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["temporary_permission_grant_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Returns the ids in the whole list.
async fn ids(client: &TestClient, query: &str) -> Vec<String> {
    pages(
        client,
        &format!("{LIST}?{query}"),
        "temporary_permission_grants",
        "_id",
    )
    .await
    .concat()
}

async fn make_agent(client: &TestClient, name: &str) -> u16 {
    client
        .post(AGENTS, json!({"agent_name": name}))
        .await
        .status
        .as_u16()
}
