//! A watcher is told what they may see.

use forge_domain::access::DefaultRole;
use forge_testkit::both_engines;
use serde_json::json;

use super::{Stream, put};
use crate::support::grants::any;
use crate::support::items::{persona, scenario};
use crate::support::users::user_with;

#[both_engines]
async fn only_what_the_watcher_may_see_is_told_as_of_each_change(server: TestServer) {
    let admin = server.admin();
    let (seen, hidden) = (server.service(2).await, server.service(2).await);
    let grants = |service: &str| {
        json!([{
            "permission_name": "Service:GetVersionSet",
            "conditions": {"service_id": {"type": "Equals", "value": service}},
        }])
    };
    let role = json!({
        "role_name": "Watcher", "description": "d", "frontend_view": "client", "inherited_from": null,
        "permission_grants": grants(&seen),
    });
    assert_eq!(admin.post("role/", role).await.status, 201);
    let watcher = server.user(DefaultRole::User).await;
    let assigned = admin
        .post("role/Watcher/assign", json!({"user_id": watcher.user_id}))
        .await;
    assert!(assigned.status.is_success(), "{}", assigned.body);

    let mut stream = Stream::of(&watcher).await;
    put(admin, &hidden, "test", 1).await;
    let first = put(admin, &seen, "test", 1).await;
    assert_eq!(stream.change().await.id, Some(first));
    let modified = admin
        .post("role/Watcher", json!({"permission_grants": grants(&hidden)}))
        .await;
    assert!(modified.status.is_success(), "{}", modified.body);
    put(admin, &seen, "test", 2).await;
    let second = put(admin, &hidden, "test", 2).await;
    assert_eq!(stream.change().await.id, Some(second));
    let modified = admin.post("role/Watcher", json!({"permission_grants": []})).await;
    assert!(modified.status.is_success(), "{}", modified.body);
    let end = stream.next().await.unwrap();
    assert_eq!(end.event.as_deref(), Some("end"), "{end:?}");
    assert_eq!(stream.next().await, None);
}

#[both_engines]
async fn changes_of_items_are_told_to_those_who_may_read_them(server: TestServer) {
    // Nobody watches who may not see any set.
    let grants = ["Service:GetVersionSet", "Simulation:GetSimulationPersona"].map(any);
    let watcher = user_with(&server, "Watcher", grants.to_vec()).await;
    let mut stream = Stream::of(&watcher).await;
    scenario(&server, "Refund").await;
    let persona = persona(&server, "Ada").await;
    let told = stream.change().await;
    assert!(told.data.to_string().contains(&persona), "{told:?}");
    assert!(told.data.to_string().contains("simulation_persona"), "{told:?}");
}
