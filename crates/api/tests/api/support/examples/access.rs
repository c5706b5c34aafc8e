//! Examples of operations on roles, users, keys and organizations.

use forge_domain::access::DefaultRole;
use forge_testkit::TestServer;
use serde_json::{Value, json};

use crate::support::organization::organization_body;

/// Returns examples about organizations, users, roles, keys and temporary grants.
pub(crate) async fn examples_of_access(server: &TestServer) -> Vec<(&'static str, String, Option<Value>)> {
    let (member, leaver) = (
        server.user(DefaultRole::User).await,
        server.user(DefaultRole::User).await,
    );
    let role = json!({"role_name": "Tester", "description": "Tests.", "frontend_view": "client",
        "permission_grants": [{"permission_name": "Organization:GetAgent", "conditions": {}}]});
    assert_eq!(server.admin().post("role/", role).await.status, 201);
    let key = json!({"name": null, "duration": "P1D", "role_name": "Tester"});
    let made = server.admin().post("organization/api_key/", key.clone()).await;
    let key_id = made.body["api_key_id"].as_str().unwrap().to_owned();
    vec![
        (
            "create-organization",
            format!("//v1/new-{}/organization/", server.admin().organization),
            Some(organization_body("New")),
        ),
        ("modify-organization", "organization/".to_owned(), Some(json!({}))),
        (
            "create-invited-user",
            "user/".to_owned(),
            Some(
                json!({"first_name": "Ada", "last_name": "L", "email": "ada@example.com",
                "role_name": "Tester"}),
            ),
        ),
        ("get-users", "user/".to_owned(), None),
        (
            "update-user-info",
            format!("user/{}", member.user_id),
            Some(json!({"first_name": "Ada"})),
        ),
        ("delete-user", format!("user/{}", leaver.user_id), None),
        (
            "create-role",
            "role/".to_owned(),
            Some(
                json!({"role_name": "Other", "description": "D", "permission_grants": [],
                "frontend_view": "admin"}),
            ),
        ),
        ("get_roles_v1__organization__role__get", "role/".to_owned(), None),
        (
            "modify-role",
            "role/Tester".to_owned(),
            Some(json!({"description": "Tests more."})),
        ),
        (
            "assign-role",
            "role/Tester/assign".to_owned(),
            Some(json!({"user_id": member.user_id})),
        ),
        (
            "create-temporary-permission-grant",
            "role/temporary_permission_grant/".to_owned(),
            Some(json!({"user_id": member.user_id, "duration": "PT1H", "tags": {},
                "permission_grant": {"permission_name": "Service:GetService", "conditions": {}},
                "justification": "for a test"})),
        ),
        (
            "get-temporary-permission-grants",
            "role/temporary_permission_grants/".to_owned(),
            None,
        ),
        ("create-api-key", "organization/api_key/".to_owned(), Some(key)),
        ("get-api-keys", "organization/api_key/".to_owned(), None),
        ("delete-api-key", format!("organization/api_key/{key_id}/"), None),
    ]
}
