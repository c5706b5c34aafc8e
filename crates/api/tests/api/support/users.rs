//! Users beside the administrator, and how they sign in.

use axum::http::Method;
use forge_testkit::{TestClient, TestResponse, TestServer};
use serde_json::{Value, json};

use crate::support::grants::create_role;

pub(crate) const USERS: &str = "user/";

pub(crate) fn invitation(email: &str, role: &str) -> Value {
    json!({"first_name": "Ada", "last_name": "Lovelace", "email": email, "role_name": role})
}

pub(crate) async fn invite(client: &TestClient, email: &str, role: &str) -> TestResponse {
    client.post(USERS, invitation(email, role)).await
}

/// Invites a user and returns the id.
pub(crate) async fn invited(client: &TestClient, email: &str, role: &str) -> String {
    let answer = invite(client, email, role).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["user_id"].as_str().unwrap().to_owned()
}

/// Signs a user in with a key: its id and its secret.
pub(crate) async fn sign_in(client: &TestClient, user_id: &str, [id, secret]: [&str; 2]) -> TestResponse {
    let headers = [
        ("x-user-id", user_id),
        ("x-api-key-id", id),
        ("x-api-key", secret),
    ];
    let path = "user/signin_with_api_key";
    client
        .anonymous()
        .send_raw(Method::POST, path, &headers, None, Vec::new())
        .await
}

/// Returns the user as a client, signed in with the organization's first key.
pub(crate) async fn signed_in(server: &TestServer, user_id: &str) -> TestClient {
    let [_, id, secret] = &server.credentials;
    let session = sign_in(server.admin(), user_id, [id, secret]).await;
    assert_eq!(session.status, 200, "{}", session.body);
    let client = server
        .admin()
        .with_token(session.body["id_token"].as_str().unwrap());
    TestClient {
        user_id: user_id.to_owned(),
        ..client
    }
}

/// Returns a new user of a role, invited and signed in.
pub(crate) async fn member(server: &TestServer, role: &str) -> TestClient {
    let invited = invite(server.admin(), &format!("{role}@example.com"), role).await;
    assert_eq!(invited.status, 201, "{}", invited.body);
    signed_in(server, invited.body["user_id"].as_str().unwrap()).await
}

/// Returns a user whose role, of that name, has these grants.
pub(crate) async fn user_with(server: &TestServer, role: &str, grants: Vec<Value>) -> TestClient {
    let created = create_role(server.admin(), role, grants).await;
    assert_eq!(created.status, 201, "{}", created.body);
    member(server, role).await
}
