//! The list of keys.

use forge_domain::access::DefaultRole;
use forge_testkit::both_engines;
use serde_json::json;

use super::{KEYS, list, parts};

#[both_engines]
async fn a_list_shows_keys_and_never_a_secret(server: TestServer) {
    let admin = server.admin();
    let body = json!({"name": null, "duration": "P2D", "actor_kind": "agent"});
    let created = admin.post(KEYS, body).await;
    let [id, secret] = parts(&created);
    let keys = list(admin).await;
    assert_eq!(keys.len(), 2);
    assert!(!json!(keys).to_string().contains(secret));
    let role = admin.get("role/?name=DefaultAdministratorRole").await.body["roles"][0]["id"].clone();
    let mut key = keys.iter().find(|key| key["key_id"] == id).unwrap().clone();
    assert!(key.as_object_mut().unwrap().remove("_id").is_some());
    assert_eq!(
        key,
        json!({
            "name": null, "org_id": admin.organization, "key_id": id, "role_id": role, "actor_kind": "agent",
            "created_at": "2026-11-23T12:00:00.000Z", "updated_at": "2026-11-23T12:00:00.000Z",
            "expires_at": "2026-11-25T12:00:00.000Z",
            "creator": {"org_id": admin.organization, "user_id": admin.user_id}, "behind": [],
        })
    );
    let first = keys
        .iter()
        .find(|key| key["key_id"] == server.credentials[1])
        .unwrap();
    assert_eq!(first["actor_kind"], "key");
    assert!(
        server
            .user(DefaultRole::User)
            .await
            .get(KEYS)
            .await
            .shows_nothing()
    );
}
