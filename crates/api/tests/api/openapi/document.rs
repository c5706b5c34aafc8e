//! The document is complete and sound in itself.

use forge_domain::access::Permission;
use forge_testkit::both_engines;
use serde_json::json;

use super::Lines;
use crate::support::operations::{operations, served};

/// Returns `true` if an operation answers a refusal with its plan.
fn is_planned(id: &str) -> bool {
    let planned = [
        "delete-service-version-set",
        "promote-version-set",
        "promote-version-sets",
        "roll-back-version-set",
        "update-service",
        "upsert-service-version-set",
    ];
    planned.contains(&id)
}

#[both_engines]
async fn every_failure_has_a_described_body(server: TestServer) {
    let document = served(&server).await;
    for (id, operation) in operations(&document) {
        for (status, answer) in operation.content["responses"].as_object().unwrap() {
            let schema = match status.as_str() {
                // Those of plans are described one by one, see the contract's extensions.
                "400" | "409" if is_planned(id) => continue,
                "412" if id.contains("yank") => "ForgeYankMoved",
                "412" => "ForgePreconditionFailed",
                "410" => "ForgeGone",
                "422" => "ForgeValidationError",
                failure if failure.starts_with(['4', '5']) => "ForgeError",
                _ => continue,
            };
            let expected = json!({"$ref": format!("#/components/schemas/{schema}")});
            assert_eq!(
                answer["content"]["application/json"]["schema"], expected,
                "{id} {status}"
            );
        }
    }
}

#[both_engines]
async fn the_document_is_complete_in_itself(server: TestServer) {
    let document = served(&server).await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    assert_eq!(document["info"]["title"], json!("Forge"));
    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    let permissions: Vec<&str> = Permission::ALL
        .iter()
        .map(|permission| permission.name())
        .collect();
    for (id, operation) in operations(&document) {
        // Fails on a reference to nothing.
        Lines::of(&document, id, &operation);
        let security = operation.content.get("security").unwrap_or(&document["security"]);
        for name in security
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|scheme| scheme.as_object().unwrap().keys())
        {
            assert!(
                schemes.contains_key(name),
                "{id} refers to the unknown scheme `{name}`"
            );
        }
        for permission in operation.content["x-permissions"]
            .as_array()
            .into_iter()
            .flatten()
        {
            assert!(
                permissions.contains(&permission.as_str().unwrap()),
                "{id} names the unknown {permission}"
            );
        }
    }
}

#[both_engines]
async fn anybody_may_ask_whether_the_server_lives_and_is_ready(server: TestServer) {
    for path in ["//healthz", "//readyz", "//healthz/", "//readyz/"] {
        for client in [
            server.admin().clone(),
            server.admin().anonymous(),
            server.admin().with_token("garbage"),
        ] {
            let answer = client.get(path).await;
            assert_eq!(
                (answer.status.as_u16(), answer.body),
                (200, json!({"status": "ok"})),
                "{path}"
            );
        }
    }
}
