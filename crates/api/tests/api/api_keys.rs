//! API keys: creating, listing and ending them, and what is done with their tokens.

use axum::http::Method;
use forge_app::AppError;
use forge_app::identity::api_keys::{self, MAX_BEHIND};
use forge_domain::access::DefaultRole;
use forge_domain::{ActorKind, Duration, UserRef};
use forge_testkit::{TestClient, TestResponse, TestServer, both_engines, version_set};
use serde_json::{Value, json};

use crate::support::assertions::assert_invalid_at;
use crate::support::organization::{a_day_later, organization};
use crate::support::users::{member, sign_in};

const KEYS: &str = "organization/api_key/";

const AGENTS: &str = "organization/agent";

const DAY: i64 = 24 * 3600;

fn key_body(role: &str, duration: &str) -> Value {
    json!({"name": "a key", "role_name": role, "duration": duration})
}

async fn create(client: &TestClient, role: &str) -> TestResponse {
    client.post(KEYS, key_body(role, "P1D")).await
}

/// Returns the id and the secret of a new key.
#[track_caller]
fn parts(created: &TestResponse) -> [&str; 2] {
    assert_eq!(created.status, 201, "{}", created.body);
    ["api_key_id", "api_key"].map(|field| created.body[field].as_str().unwrap())
}

async fn delete(client: &TestClient, key_id: &str) -> TestResponse {
    client.delete(&format!("organization/api_key/{key_id}/")).await
}

async fn list(client: &TestClient) -> Vec<Value> {
    let found = client.get(KEYS).await;
    assert_eq!(found.status, 200, "{}", found.body);
    found.body["api_keys"].as_array().unwrap().clone()
}

/// Returns the user, signed in with the key.
async fn through(user: &TestClient, key: [&str; 2]) -> TestClient {
    let session = sign_in(user, &user.user_id, key).await;
    assert_eq!(session.status, 200, "{}", session.body);
    user.with_token(session.body["id_token"].as_str().unwrap())
}

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
    let operated = through(&user, [&made.id, &made.secret]).await;
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
        .scan_audit_events(&organization(&server), (None, i64::MAX), 10_000)
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
async fn nobody_makes_a_key_that_too_many_could_be_behind(server: TestServer) {
    let grant = json!({"permission_name": "Organization:CreateAPIKey", "conditions": {}});
    let mut caller = server.caller(vec![serde_json::from_value(grant).unwrap()]);
    let some = |number| UserRef {
        org_id: organization(&server),
        user_id: format!("user {number}"),
    };
    for (count, is_refused) in [(MAX_BEHIND, false), (MAX_BEHIND + 1, true)] {
        caller.key.behind = (0..count).map(some).collect();
        let made = api_keys::create(
            forge_app::Ctx::new(&server.app, &caller),
            None,
            "NoSuchRole",
            Duration::days(1),
            None,
        )
        .await;
        assert_eq!(matches!(made, Err(AppError::Refused(_))), is_refused, "{count}");
    }
}

#[both_engines]
async fn a_key_signs_in_users_of_roles_below_its_own(server: TestServer) {
    let created = create(server.admin(), "DefaultAdministratorRole").await;
    let key = parts(&created);
    assert_eq!(created.body["expires_at"], "2026-11-24T12:00:00.000Z");
    assert!(created.sequence().is_some());
    let user = through(&server.user(DefaultRole::User).await, key).await;
    assert_eq!(user.get("service/").await.status, 200);
    for role in [DefaultRole::Administrator, DefaultRole::SuperAdministrator] {
        let user = server.user(role).await;
        assert_eq!(sign_in(&user, &user.user_id, key).await.status, 401, "{role:?}");
    }
}

#[both_engines]
async fn a_key_is_for_a_role_that_is_there_and_less_than_ones_own(server: TestServer) {
    let amigo_administrator = server.user(DefaultRole::AmigoAdministrator).await;
    for role in ["DefaultAmigoAdministratorRole", "DefaultSuperAdministratorRole"] {
        let refused = create(&amigo_administrator, role).await;
        assert_eq!(
            (refused.status.as_u16(), refused.sequence()),
            (403, None),
            "{role}"
        );
    }
    for role in ["DefaultUserRole", "DefaultAdministratorRole"] {
        parts(&create(&amigo_administrator, role).await);
    }
    parts(&create(server.admin(), "DefaultSuperAdministratorRole").await);
    assert_eq!(create(server.admin(), "NoSuchRole").await.status, 404);
    let administrator = server.user(DefaultRole::Administrator).await;
    assert_eq!(create(&administrator, "DefaultUserRole").await.status, 403);
}

#[both_engines]
async fn a_key_lives_one_to_ninety_days(server: TestServer) {
    let admin = server.admin();
    for duration in [
        "P0D",
        "PT23H",
        "PT23H59M59S",
        "P91D",
        "P90DT1S",
        "-P1D",
        "",
        "1D",
        "garbage",
        "P1000Y",
        "P99999999999999999999999D",
        "P1D2027-01-01T00:00:00+14:00",
        "P1E1D",
        "PNaND",
        "PinfD",
        "P,5D",
        "P\u{661}D",
        "p1d",
        "P1D ",
    ] {
        let refused = admin.post(KEYS, key_body("DefaultUserRole", duration)).await;
        assert_invalid_at(&refused, "body.duration");
    }
    for (duration, expected) in [
        ("P1D", "2026-11-24T12:00:00.000Z"),
        ("PT24H", "2026-11-24T12:00:00.000Z"),
        ("P1DT30M", "2026-11-24T12:30:00.000Z"),
        ("P90D", "2027-02-21T12:00:00.000Z"),
    ] {
        let created = admin.post(KEYS, key_body("DefaultUserRole", duration)).await;
        assert_eq!(created.status, 201, "{duration}: {}", created.body);
        assert_eq!(created.body["expires_at"], expected, "{duration}");
    }
    for (field, value) in [("name", json!("")), ("name", json!(1)), ("role_name", json!(1))] {
        let mut body = key_body("DefaultUserRole", "P1D");
        body[field] = value;
        assert_invalid_at(&admin.post(KEYS, body).await, &format!("body.{field}"));
    }
    let body = json!({"name": null, "duration": "P1D", "actor_kind": "person"});
    assert_invalid_at(&admin.post(KEYS, body).await, "body.actor_kind");
    assert_invalid_at(&admin.post(KEYS, json!({"duration": "P1D"})).await, "body.name");
    assert_invalid_at(&admin.post(KEYS, json!({"name": null})).await, "body.duration");
}

#[both_engines]
async fn an_organization_has_twenty_keys_at_the_most(server: TestServer) {
    let admin = server.admin();
    let mut last = String::new();
    for _ in 1..20 {
        let created = create(admin, "DefaultUserRole").await;
        parts(&created)[0].clone_into(&mut last);
    }
    assert_eq!(list(admin).await.len(), 20);
    let refused = create(admin, "DefaultUserRole").await;
    assert_eq!((refused.status.as_u16(), refused.sequence()), (400, None));
    assert!(refused.detail().contains("20"), "{}", refused.detail());
    assert_eq!(delete(admin, &last).await.status, 200);
    parts(&create(admin, "DefaultUserRole").await);
    assert_eq!(create(admin, "DefaultUserRole").await.status, 400);
    let admin = a_day_later(&server).await;
    assert_eq!(list(&admin).await.len(), 1, "the others have ended");
    parts(&create(&admin, "DefaultUserRole").await);
}

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

#[both_engines]
async fn a_deleted_key_ends_its_tokens_at_once(server: TestServer) {
    let admin = server.admin();
    let created = create(admin, "DefaultAdministratorRole").await;
    let key = parts(&created);
    let user = through(&server.user(DefaultRole::User).await, key).await;
    assert_eq!(user.get("service/").await.status, 200);
    let deleted = delete(admin, key[0]).await;
    assert_eq!(
        (deleted.status.as_u16(), deleted.body),
        (200, json!({"deleted_key_id": key[0]}))
    );
    assert_eq!(user.get("service/").await.status, 401);
    assert_eq!(sign_in(&user, &user.user_id, key).await.status, 401);
    assert_eq!(list(admin).await.len(), 1);
    for id in [key[0], "00000000-0000-4000-8000-000000000000", "unknown"] {
        assert_eq!(delete(admin, id).await.status, 404, "{id}");
    }
    assert_eq!(
        delete(server.stranger(), &server.credentials[1]).await.status,
        404
    );
}

#[both_engines]
async fn nobody_deletes_a_key_above_their_own_role(server: TestServer) {
    let first = &server.credentials[1];
    for role in [
        DefaultRole::User,
        DefaultRole::Administrator,
        DefaultRole::AmigoAdministrator,
    ] {
        let refused = delete(&server.user(role).await, first).await;
        assert_eq!(
            (refused.status.as_u16(), refused.sequence()),
            (403, None),
            "{role:?}"
        );
    }
}

#[both_engines]
async fn an_expired_key_signs_nobody_in_and_ends_its_tokens(server: TestServer) {
    let created = create(server.admin(), "DefaultAdministratorRole").await;
    let key = parts(&created);
    let user = server.user(DefaultRole::User).await;
    server.clock.advance_seconds(DAY - 600);
    let session = sign_in(&user, &user.user_id, key).await;
    assert_eq!(
        session.body["expires_at"], created.body["expires_at"],
        "a token ends with its key"
    );
    let user = user.with_token(session.body["id_token"].as_str().unwrap());
    server.clock.advance_seconds(599);
    assert_eq!(user.get("service/").await.status, 200);
    server.clock.advance_seconds(1);
    assert_eq!(user.get("service/").await.status, 401);
    assert_eq!(sign_in(&user, &user.user_id, key).await.status, 401);
    let [_, id, secret] = &server.credentials;
    assert_eq!(list(&through(server.admin(), [id, secret]).await).await.len(), 1);
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
