//! Creating organizations and changing what their new users start with.

use forge_domain::access::DefaultRole;
use forge_testkit::{TestClient, TestResponse, TestServer, both_engines};
use serde_json::{Value, json};

use crate::support::assertions::assert_invalid_at;
use crate::support::organization::{change_number, create_in, organization_body};

const ORGANIZATION: &str = "organization/";

async fn create(client: &TestClient, id: &str) -> TestResponse {
    create_in(
        client,
        Some("default"),
        id,
        &organization_body("Acme Corporation"),
    )
    .await
}

async fn default_preferences(client: &TestClient) -> Value {
    client.get(ORGANIZATION).await.body["default_user_preferences"].clone()
}

#[both_engines]
async fn the_operators_super_administrator_creates_an_organization(database: TestDatabase) {
    let server = TestServer::alone(&database).await;
    let created = create(server.admin(), "acme").await;
    assert_eq!(
        (created.status.as_u16(), created.body),
        (201, json!({"org_id": "acme"}))
    );
    let found = server
        .admin()
        .in_organization("acme")
        .anonymous()
        .get(ORGANIZATION)
        .await;
    assert_eq!(
        (found.status.as_u16(), &found.body["org_name"]),
        (200, &json!("Acme Corporation"))
    );
    for id in [
        "acme",
        &server.admin().organization,
        &server.stranger().organization,
    ] {
        assert_eq!(create(server.admin(), id).await.status, 409, "{id}");
    }
    // The new one is none of the caller's.
    assert_eq!(
        server.admin().in_organization("acme").get("user/").await.status,
        401
    );
}

#[both_engines]
async fn nobody_else_creates_an_organization(database: TestDatabase) {
    let server = TestServer::alone(&database).await;
    for role in [
        DefaultRole::User,
        DefaultRole::Administrator,
        DefaultRole::AmigoAdministrator,
    ] {
        assert_eq!(
            create(&server.user(role).await, "acme").await.status,
            403,
            "{role:?}"
        );
    }
    let refused = create(server.stranger(), "acme").await;
    assert_eq!(refused.status, 403);
    assert!(
        refused.detail().contains("runs this installation"),
        "{}",
        refused.detail()
    );
    assert_eq!(create(&server.admin().anonymous(), "acme").await.status, 401);
    let found = server.admin().in_organization("acme").get(ORGANIZATION).await;
    assert_eq!(found.status, 404);
}

#[both_engines]
async fn some_ids_are_reserved_and_others_no_ids(database: TestDatabase) {
    let server = TestServer::alone(&database).await;
    for id in ["admin", "api", "v1", "forge"] {
        let refused = create(server.admin(), id).await;
        assert_eq!(refused.status, 400, "{id}");
        assert!(refused.detail().contains(id), "{}", refused.detail());
    }
    for id in ["Acme", "ac_me", "%20", &"x".repeat(65)] {
        assert_invalid_at(&create(server.admin(), id).await, "path.organization");
    }
}

#[both_engines]
async fn a_new_organization_must_be_well_formed(database: TestDatabase) {
    let server = TestServer::alone(&database).await;
    let body = organization_body("Acme");
    for cluster in [None, Some("other")] {
        let refused = create_in(server.admin(), cluster, "acme", &body).await;
        assert_invalid_at(&refused, "header.x-mongo-cluster-name");
    }
    for (field, value) in [
        ("org_name", json!("")),
        ("org_name", json!(null)),
        ("azure_devops_team_name", json!("No Team")),
        ("user_dimensions", json!([{"description": "Age"}])),
        ("default_user_preferences", json!({"timezone": "Mars/Base"})),
    ] {
        let mut body = organization_body("Acme");
        body[field] = value;
        let refused = create_in(server.admin(), Some("default"), "acme", &body).await;
        assert_invalid_at(&refused, &format!("body.{field}"));
    }
    assert_eq!(create(server.admin(), "acme").await.status, 201);
}

#[both_engines]
async fn new_users_start_with_what_the_organization_says(server: TestServer) {
    let admin = server.admin();
    let preferences = json!({"enable_response_recommendation": true, "preferred_language": "deu",
        "conversations_visible_to_admins": false, "user_model_visible_to_admins": true,
        "timezone": "Europe/Berlin", "audio_keyterms": ["forge"]});
    let modified = admin
        .post(ORGANIZATION, json!({"default_user_preferences": preferences}))
        .await;
    assert_eq!(modified.status, 204, "{}", modified.body);
    assert_eq!(modified.sequence(), Some(change_number(&server).await));
    assert_eq!(default_preferences(admin).await, preferences);
    let body = json!({"first_name": "A", "last_name": "L", "email": "a@example.com",
        "role_name": "DefaultUserRole"});
    let invited = admin.post("user/", body).await;
    let id = invited.body["user_id"].as_str().unwrap();
    let found = admin.get(&format!("user/?user_id={id}")).await;
    assert_eq!(found.body["users"][0]["preferences"], preferences);
}

#[both_engines]
async fn a_change_of_nothing_changes_nothing(server: TestServer) {
    let before = change_number(&server).await;
    let preferences = default_preferences(server.admin()).await;
    for body in [
        json!({}),
        json!({"default_user_preferences": null}),
        json!({"default_user_preferences": preferences}),
        json!({"logo": "", "user_dimensions": [{"description": "Age", "tags": []}]}),
    ] {
        let modified = server.admin().post(ORGANIZATION, body).await;
        assert_eq!(
            (modified.status.as_u16(), modified.sequence()),
            (204, None),
            "{}",
            modified.body
        );
    }
    assert_eq!(change_number(&server).await, before);
}

#[both_engines]
async fn an_organization_is_changed_by_those_who_may_and_rightly(server: TestServer) {
    for (role, expected) in [
        (DefaultRole::Administrator, 403),
        (DefaultRole::AmigoAdministrator, 204),
    ] {
        let answer = server.user(role).await.post(ORGANIZATION, json!({})).await;
        assert_eq!(answer.status, expected, "{role:?}");
    }
    for (field, value) in [
        ("user_dimensions", json!([])),
        ("logo", json!(1)),
        (
            "default_user_preferences",
            json!({"preferred_language": "german"}),
        ),
    ] {
        let refused = server.admin().post(ORGANIZATION, json!({field: value})).await;
        assert_invalid_at(&refused, &format!("body.{field}"));
    }
}
