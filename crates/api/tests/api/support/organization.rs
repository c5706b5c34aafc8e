//! The organization of the server under test: its id, its changes, its time; and further ones.

use axum::http::Method;
use forge_app::access::sign_in;
use forge_domain::OrganizationId;
use forge_testkit::{TestClient, TestResponse, TestServer};
use serde_json::{Value, json};

pub(crate) fn organization(server: &TestServer) -> OrganizationId {
    server.admin().organization.parse().unwrap()
}

/// Returns the number of the organization's latest change: a write that was refused leaves it alone.
pub(crate) async fn change_number(server: &TestServer) -> i64 {
    let mut tx = server.app.store.read().await.unwrap();
    tx.find_organization(&organization(server))
        .await
        .unwrap()
        .unwrap()
        .change_number
}

/// Lets a day and an hour go by: `retiring_model` is retired and every token has ended.
///
/// Returns the administrator, signed in anew.
pub(crate) async fn a_day_later(server: &TestServer) -> TestClient {
    server.clock.advance_seconds(25 * 3600);
    let [user_id, key_id, secret] = &server.credentials;
    let session = sign_in::with_api_key(&server.app, &organization(server), key_id, secret, user_id).await;
    server.admin().with_token(&session.unwrap().token)
}

/// Returns the body that creates an organization.
pub(crate) fn organization_body(name: &str) -> Value {
    json!({"org_name": name, "user_dimensions": [{"description": "Age", "tags": ["young", "old"]}],
        "logo": "", "square_logo": "", "favicon": "", "azure_devops_team_name": "team"})
}

/// Creates an organization with a cluster named, or none.
pub(crate) async fn create_in(
    client: &TestClient,
    cluster: Option<&str>,
    id: &str,
    body: &Value,
) -> TestResponse {
    let own = client.organization.clone();
    let mut headers = vec![("x-org-id", own.as_str())];
    headers.extend(cluster.map(|name| ("x-mongo-cluster-name", name)));
    let (path, body) = (format!("//v1/{id}/organization/"), body.to_string().into_bytes());
    client
        .send_raw(Method::PUT, &path, &headers, Some("application/json"), body)
        .await
}
