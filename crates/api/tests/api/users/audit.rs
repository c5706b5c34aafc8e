//! What the audit log tells of users.

use forge_testkit::both_engines;
use serde_json::json;

use super::{USER_ROLE, delete, update};
use crate::support::organization::organization;
use crate::support::users::{USERS, invitation};

#[both_engines]
async fn the_audit_log_tells_nothing_personal(server: TestServer) {
    let admin = server.admin();
    let mut body = invitation("ada@example.com", USER_ROLE);
    body["nonsensitive_user_variables"] = json!({"plan": "gold-plated"});
    body["sensitive_user_variables"] = json!({"pass_word": "hush-hush-hush"});
    let id = admin.post(USERS, body).await.body["user_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let body = json!({"first_name": "Augusta", "additional_context": ["Likes engines."]});
    assert_eq!(update(admin, &id, body).await.status, 204);
    assert_eq!(delete(admin, &id).await.status, 204);
    let mut tx = server.app.store.read().await.unwrap();
    let events = tx
        .list_audit_events(&organization(&server), 0, 10_000)
        .await
        .unwrap()
        .into_rows();
    let about = events.iter().filter(|(event, _)| event.object.id == id);
    let actions: Vec<&str> = about.map(|(event, _)| event.action.as_str()).collect();
    assert_eq!(actions, ["invite", "update", "delete"]);
    let text = format!("{events:?}");
    for personal in [
        "Ada",
        "Augusta",
        "Lovelace",
        "ada@",
        "gold-plated",
        "hush-hush-hush",
        "engines",
    ] {
        assert!(!text.contains(personal), "{personal}");
    }
}
