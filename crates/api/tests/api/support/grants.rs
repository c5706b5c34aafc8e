//! Grants, and roles that hold them.

use forge_domain::access::Grant;
use forge_testkit::{TestClient, TestResponse};
use serde_json::{Value, json};

/// Creates a grant; `conditions` is as on the wire.
pub(crate) fn parsed_grant(permission: &str, conditions: Value) -> Grant {
    serde_json::from_value(json!({"permission_name": permission, "conditions": conditions})).unwrap()
}

pub(crate) const ROLES: &str = "role/";

/// Creates a grant as on the wire.
pub(crate) fn grant(permission: &str, conditions: &Value) -> Value {
    json!({"permission_name": permission, "conditions": conditions})
}

/// Creates a grant without conditions.
pub(crate) fn any(permission: &str) -> Value {
    grant(permission, &json!({}))
}

pub(crate) fn equals(attribute: &str, value: &str) -> Value {
    json!({attribute: {"type": "Equals", "value": value}})
}

pub(crate) async fn create_role(client: &TestClient, name: &str, grants: Vec<Value>) -> TestResponse {
    let body = json!({"role_name": name, "description": "For a test.", "permission_grants": grants,
        "frontend_view": "client"});
    client.post(ROLES, body).await
}
