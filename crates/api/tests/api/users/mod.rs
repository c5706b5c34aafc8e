//! Inviting users, listing them, changing what is known of them and deleting them.

mod audit;
mod delete;
mod invite;
mod list;
mod update;

use forge_testkit::{TestClient, TestResponse};
use serde_json::Value;

use crate::support::pages::pages;

const USER_ROLE: &str = "DefaultUserRole";

const SUPER_ROLE: &str = "DefaultSuperAdministratorRole";

async fn ids(client: &TestClient, query: &str) -> Vec<String> {
    pages(client, &format!("user/?{query}"), "users", "user_id")
        .await
        .concat()
}

/// Returns what a list shows of a user.
async fn shown(client: &TestClient, user_id: &str) -> Value {
    let found = client.get(&format!("user/?user_id={user_id}")).await;
    assert_eq!(found.status, 200, "{}", found.body);
    assert_eq!(found.body["users"].as_array().unwrap().len(), 1);
    found.body["users"][0].clone()
}

async fn update(client: &TestClient, user_id: &str, body: Value) -> TestResponse {
    client.post(&format!("user/{user_id}"), body).await
}

async fn delete(client: &TestClient, user_id: &str) -> TestResponse {
    client.delete(&format!("user/{user_id}")).await
}
