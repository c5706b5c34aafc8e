//! Who acts through a key, and what is told of them.

use axum::http::Method;
use forge_domain::ActorKind;
use forge_domain::access::DefaultRole;
use forge_testkit::{TestClient, TestServer, both_engines, version_set};
use serde_json::{Value, json};

use super::{KEYS, create, delete, key_body, list, parts, through};
use crate::support::organization::organization;
use crate::support::users::member;

const AGENTS: &str = "organization/agent";

/// Returns which kind of caller the latest entry of the audit log names.
async fn latest_actor(server: &TestServer) -> ActorKind {
    let mut tx = server.app.store.read().await.unwrap();
    let events = tx
        .list_audit_events(&organization(server), 0, 10_000)
        .await
        .unwrap()
        .into_rows();
    events.last().unwrap().0.actor.kind
}

/// Returns the actor of the newest thing in a list, as the list tells it.
async fn actor_in(client: &TestClient, path: &str, list: &str) -> Value {
    let found = client.get(path).await;
    assert_eq!(found.status, 200, "{path}: {}", found.body);
    found.body[list][0]["actor"].clone()
}

#[both_engines]
async fn an_actor_is_told_with_the_key_and_who_made_it(server: TestServer) {
    let admin = server.admin();
    let maker = server.user(DefaultRole::AmigoAdministrator).await;
    let key = create(&maker, "DefaultAdministratorRole").await;
    let key = parts(&key);
    let builder = json!({"role_name": "Builder", "description": "Builds.", "frontend_view": "client",
        "permission_grants": [{"permission_name": "Service:UpdateVersionSet", "conditions": {}}]});
    assert_eq!(admin.post("role/", builder).await.status, 201);
    let builder = through(&member(&server, "Builder").await, key).await;
    let service = server.service(1).await;
    let release = format!("service/{service}/version_sets/release");
    let body = json!({"version_set": version_set(1, 1)});
    assert_eq!(builder.put(&format!("{release}/"), body).await.status, 204);
    let made_by = |user: &TestClient, id: &str, maker: &str| {
        json!({"org_id": admin.organization,
        "user_id": user.user_id, "kind": "key",
        "key": {"id": id, "created_by": {"org_id": admin.organization, "user_id": maker},
            "behind": [{"org_id": admin.organization, "user_id": admin.user_id}]}})
    };
    let expected = made_by(&builder, key[0], &maker.user_id);
    assert_eq!(
        actor_in(admin, "audit_event/?limit=1", "audit_events").await,
        expected
    );
    assert_eq!(
        actor_in(admin, &format!("{release}/history"), "revisions").await,
        expected
    );
    let mut tx = server.app.store.read().await.unwrap();
    let (event, hash) = tx
        .list_audit_events(&organization(&server), 0, 10_000)
        .await
        .unwrap()
        .into_rows()
        .pop()
        .unwrap();
    assert_eq!(event.hash(), hash);
}

#[both_engines]
async fn what_only_the_user_decides_takes_a_key_that_no_other_could_be_behind(server: TestServer) {
    let admin = server.admin();
    let user = server.user(DefaultRole::User).await;
    let path = format!("user/{}", user.user_id);
    let shows = |is_shown: bool| json!({"conversations_visible_to_admins": is_shown});
    assert_eq!(
        user.post(&path, shows(false)).await.status,
        204,
        "the key is a super administrator's"
    );
    let maker = server.user(DefaultRole::AmigoAdministrator).await;
    let made = create(&maker, "DefaultAdministratorRole").await;
    let behind = through(&user, parts(&made)).await;
    for field in ["conversations_visible_to_admins", "user_model_visible_to_admins"] {
        let was_shown = field == "user_model_visible_to_admins";
        let refused = behind.post(&path, json!({field: !was_shown})).await;
        assert_eq!(refused.status, 403, "{field}: {}", refused.body);
        assert!(refused.detail().contains(field), "{}", refused.detail());
    }
    assert_eq!(behind.post(&path, json!({"first_name": "Ada"})).await.status, 204);
    assert_eq!(user.post(&path, shows(true)).await.status, 204);
    // Whoever made the key has to be a super administrator now.
    let made = create(admin, "DefaultAdministratorRole").await;
    let trusted = through(&user, parts(&made)).await;
    assert_eq!(trusted.post(&path, shows(false)).await.status, 204);
    let other = server.user(DefaultRole::SuperAdministrator).await;
    let demoted = json!({"user_id": admin.user_id});
    assert_eq!(
        other.post("role/DefaultUserRole/assign", demoted).await.status,
        200
    );
    assert_eq!(trusted.post(&path, shows(true)).await.status, 403);
    // Operators are nobody's administrators.
    let made = forge_app::admin::create_key(&server.app, &organization(&server), &other.user_id)
        .await
        .unwrap();
    let operated = through(&user, [&made.id.to_string(), &made.secret]).await;
    assert_eq!(operated.post(&path, shows(true)).await.status, 204);
}

#[both_engines]
async fn a_key_that_is_made_with_a_key_hides_nobody(server: TestServer) {
    let admin = server.admin();
    let user = server.user(DefaultRole::User).await;
    let path = format!("user/{}", user.user_id);
    let shows = |is_shown: bool| json!({"conversations_visible_to_admins": is_shown});
    // Each holds what the one before it does, and more.
    let permissions = [
        "Service:UpdateVersionSet",
        "Service:GetService",
        "Organization:CreateAPIKey",
        "Service:GetVersionSet",
    ];
    for (count, name) in [(1, "First"), (2, "Second"), (3, "Third"), (4, "Fourth")] {
        let held = permissions[..count].iter();
        let mut grants: Vec<Value> = held
            .map(|permission| json!({"permission_name": permission, "conditions": {}}))
            .collect();
        let own = json!({"is_own": {"type": "Equals", "value": true}});
        grants.push(json!({"permission_name": "User:UpdateUserInfo", "conditions": own}));
        let role = json!({"role_name": name, "description": name, "frontend_view": "client", "permission_grants": grants});
        assert_eq!(admin.post("role/", role).await.status, 201);
    }
    let give = async |role: &str| {
        let given = admin
            .post(&format!("role/{role}/assign"), json!({"user_id": user.user_id}))
            .await;
        assert_eq!(given.status, 200, "{}", given.body);
    };
    // An administrator makes a key, and with it another one as the user.
    let maker = server.user(DefaultRole::AmigoAdministrator).await;
    give("Third").await;
    let first = create(&maker, "Fourth").await;
    let behind = through(&user, parts(&first)).await;
    let second = create(&behind, "Second").await;
    give("First").await;
    let laundered = through(&user, parts(&second)).await;
    assert_eq!(laundered.post(&path, shows(false)).await.status, 403);
    assert_eq!(
        user.post(&path, shows(false)).await.status,
        204,
        "the user themselves"
    );

    // It is told wherever keys and actors are.
    let (org, id) = (&admin.organization, parts(&second)[0]);
    let person = |user: &TestClient| json!({"org_id": org, "user_id": user.user_id});
    let keys = list(admin).await;
    let key = |id: &str| keys.iter().find(|key| key["key_id"] == id).unwrap().clone();
    assert_eq!(
        [&key(id)["creator"], &key(id)["behind"]],
        [&person(&user), &json!([person(&maker), person(admin)])]
    );
    assert_eq!(
        key(parts(&first)[0])["behind"],
        json!([person(admin)]),
        "who made the first key of all"
    );
    let service = server.service(1).await;
    let release = format!("service/{service}/version_sets/release");
    let body = json!({"version_set": version_set(1, 1)});
    assert_eq!(laundered.put(&format!("{release}/"), body).await.status, 204);
    let expected = json!({"org_id": org, "user_id": user.user_id, "kind": "key",
        "key": {"id": id, "created_by": person(&user), "behind": [person(&maker), person(admin)]}});
    assert_eq!(
        actor_in(admin, "audit_event/?limit=1", "audit_events").await,
        expected
    );
    assert_eq!(
        actor_in(admin, &format!("{release}/history"), "revisions").await,
        expected
    );
    let mut tx = server.app.store.read().await.unwrap();
    let watched = tx
        .list_changes(&organization(&server), 0, 10_000)
        .await
        .unwrap()
        .pop()
        .unwrap();
    assert_eq!(json!(watched.actor), expected);
    let events = tx
        .scan_audit_events(&organization(&server), None, i64::MAX, 10_000)
        .await
        .unwrap()
        .into_rows();
    let (event, hash) = events.into_iter().last().unwrap().event.unwrap();
    assert_eq!(event.hash(), hash);
    drop(tx);

    // A super administrator who made the first key has to be one still.
    give("Third").await;
    let other = server.user(DefaultRole::SuperAdministrator).await;
    let trusted = through(&user, parts(&create(&other, "Fourth").await)).await;
    let own = create(&trusted, "Second").await;
    give("First").await;
    let own = through(&user, parts(&own)).await;
    assert_eq!(own.post(&path, shows(true)).await.status, 204);
    let demoted = json!({"user_id": other.user_id});
    assert_eq!(
        admin.post("role/DefaultUserRole/assign", demoted).await.status,
        200
    );
    assert_eq!(own.post(&path, shows(false)).await.status, 403);
}

#[both_engines]
async fn the_audit_log_tells_which_keys_go_on_that_who_was_given_less_may_know(server: TestServer) {
    let admin = server.admin();
    let maker = server.user(DefaultRole::AmigoAdministrator).await;
    let ended = create(&maker, "DefaultUserRole").await;
    assert_eq!(delete(admin, parts(&ended)[0]).await.status, 200);
    let first = create(&maker, "DefaultAdministratorRole").await;
    let first = parts(&first);
    let told = async || admin.get("audit_event/?limit=1").await.body["audit_events"][0]["after"].clone();
    let given = json!({"user_id": maker.user_id});
    assert_eq!(
        admin
            .post("role/DefaultUserRole/assign", given.clone())
            .await
            .status,
        200
    );
    assert_eq!(
        told().await,
        json!({"role_name": "DefaultUserRole", "api_keys_left": [first[0]]})
    );
    assert_eq!(
        admin
            .post("role/DefaultAdministratorRole/assign", given)
            .await
            .status,
        200
    );
    assert_eq!(told().await, json!({"role_name": "DefaultAdministratorRole"}));
    // The programs that use it go on.
    through(&server.user(DefaultRole::User).await, first).await;
    assert_eq!(admin.delete(&format!("user/{}", maker.user_id)).await.status, 204);
    assert_eq!(told().await, json!({"api_keys_left": [first[0]]}));
}

#[both_engines]
async fn an_answer_is_not_told_again_to_who_others_could_be_behind(server: TestServer) {
    let first = server.user(DefaultRole::AmigoAdministrator).await;
    let again = async |client: &TestClient| {
        let body = key_body("DefaultUserRole", "P1D").to_string().into_bytes();
        let headers = [("Idempotency-Key", "once")];
        client
            .send_raw(Method::POST, KEYS, &headers, Some("application/json"), body)
            .await
    };
    let told = again(&first).await;
    parts(&told);
    // Another super administrator makes a key, with which they could be the user.
    let other = server.user(DefaultRole::SuperAdministrator).await;
    let made = create(&other, "DefaultSuperAdministratorRole").await;
    let refused = again(&through(&first, parts(&made)).await).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    assert_eq!(again(&first).await.body, told.body);
    let made = create(server.admin(), "DefaultSuperAdministratorRole").await;
    assert_eq!(
        again(&through(&first, parts(&made)).await).await.body,
        told.body,
        "another key of the same maker"
    );
}

#[both_engines]
async fn the_audit_log_tells_ai_agents_from_other_programs(server: TestServer) {
    let administrator = server.user(DefaultRole::Administrator).await;
    let mut body = key_body("DefaultSuperAdministratorRole", "P1D");
    body["actor_kind"] = json!("agent");
    let created = server.admin().post(KEYS, body).await;
    assert_eq!(latest_actor(&server).await, ActorKind::Key);
    let agent = through(&administrator, parts(&created)).await;
    agent
        .post(AGENTS, json!({"agent_name": "made by an agent"}))
        .await
        .id();
    assert_eq!(latest_actor(&server).await, ActorKind::Agent);
    // What an agent makes is an agent's.
    let maker = through(
        &server.user(DefaultRole::AmigoAdministrator).await,
        parts(&created),
    )
    .await;
    let further = create(&maker, "DefaultAdministratorRole").await;
    let user = through(&server.user(DefaultRole::User).await, parts(&further)).await;
    let path = format!("user/{}", user.user_id);
    assert_eq!(user.post(&path, json!({"first_name": "Ada"})).await.status, 204);
    assert_eq!(latest_actor(&server).await, ActorKind::Agent);
    let mut body = key_body("DefaultAdministratorRole", "P1D");
    body["actor_kind"] = json!("key");
    let refused = maker.post(KEYS, body).await;
    assert_eq!(
        (refused.status.as_u16(), refused.sequence()),
        (403, None),
        "{}",
        refused.body
    );
    assert!(refused.detail().contains("actor_kind"), "{}", refused.detail());

    administrator
        .post(AGENTS, json!({"agent_name": "made by a program"}))
        .await
        .id();
    assert_eq!(latest_actor(&server).await, ActorKind::Key);
    let body = json!({"agent_name": "made by one that says so"})
        .to_string()
        .into_bytes();
    let headers = [("forge-actor-kind", "agent")];
    let json = Some("application/json");
    administrator
        .send_raw(Method::POST, AGENTS, &headers, json, body)
        .await
        .id();
    assert_eq!(latest_actor(&server).await, ActorKind::Agent);
}
