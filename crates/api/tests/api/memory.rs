//! What a server answers from memory: at once after its own writes, soon after those of others, and while the database
//! is away.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use forge_app::snapshot::follow;
use forge_app::{App, OpenMode, Store};
use forge_domain::access::DefaultRole;
use forge_testkit::{
    Engine, TestClient, TestDatabase, TestResponse, TestServer, agent_version, both_engines, version_set,
};
use serde_json::{Value, json};

use crate::support::organization::{create_in, organization_body};

/// How long something may take that has to happen soon.
const SOON: Duration = Duration::from_secs(20);

fn sets(service: &str) -> String {
    format!("service/{service}/version_sets")
}

async fn resolve(client: &TestClient, service: &str, set: &str) -> TestResponse {
    client.get(&format!("{}/{set}/resolve", sets(service))).await
}

async fn resolved_agent(client: &TestClient, service: &str, set: &str) -> i64 {
    let answer = resolve(client, service, set).await;
    answer.body["agent_version_info"][1]
        .as_i64()
        .unwrap_or_else(|| panic!("{}", answer.body))
}

async fn put(client: &TestClient, service: &str, set: &str, agent: i64) -> TestResponse {
    let body = json!({"version_set": version_set(agent, 1)});
    client.put(&format!("{}/{set}/", sets(service)), body).await
}

async fn agent_of(client: &TestClient, service: &str) -> String {
    let found = client.get(&format!("service/?id={service}")).await;
    found.body["services"][0]["agent_id"].as_str().unwrap().to_owned()
}

async fn add_agent_version(client: &TestClient, agent: &str) -> TestResponse {
    let mut version = agent_version();
    version["initials"] = json!("NV");
    client
        .post(&format!("organization/agent/{agent}/"), version)
        .await
}

async fn with_sequence(client: &TestClient, path: &str, sequence: &str) -> TestResponse {
    let headers = [("Forge-Min-Sequence", sequence)];
    client
        .send_raw(Method::GET, path, &headers, None, Vec::new())
        .await
}

/// Creates the last change another one, which pins another version.
async fn elsewhere(database: &TestDatabase, set: &str, agent: i64) {
    let unlock = match database.engine {
        Engine::Sqlite => "DROP TRIGGER IF EXISTS audit_event_no_update",
        Engine::Postgres => "ALTER TABLE audit_event DISABLE TRIGGER ALL",
    };
    let last = "(SELECT MAX(sequence) FROM audit_event)";
    database
        .tamper(&format!(
            "{unlock}; UPDATE version_set SET agent_version = {agent} WHERE name = '{set}';
             UPDATE audit_event SET hash = 'of another change, {agent}' WHERE sequence = {last}"
        ))
        .await;
}

/// Waits until the answer fulfils a condition.
async fn eventually(
    ask: impl AsyncFn() -> TestResponse,
    is_fulfilled: impl Fn(&TestResponse) -> bool,
) -> TestResponse {
    let deadline = std::time::Instant::now() + SOON;
    loop {
        let answer = ask().await;
        if is_fulfilled(&answer) {
            return answer;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "{} {:?} {}",
            answer.status,
            answer.headers,
            answer.body
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Returns another server on the same database, and a client of it with the credentials of the first server's.
async fn second_server(server: &TestServer, database: &TestDatabase) -> (App, TestClient) {
    let app = App {
        store: Store::open(&database.url, OpenMode::MustExist).await.unwrap(),
        snapshots: Arc::default(),
        ..server.app.clone()
    };
    let router = forge_api::router(app.clone(), forge_testkit::limits());
    let client = TestClient {
        router,
        ..server.admin().clone()
    };
    (app, client)
}

#[both_engines]
async fn every_write_is_seen_by_the_next_reader(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(2).await);
    assert_eq!(resolved_agent(admin, &service, "release").await, 2);
    put(admin, &service, "release", 1).await;
    assert_eq!(resolved_agent(admin, &service, "release").await, 1);
    add_agent_version(admin, &agent_of(admin, &service).await).await;
    assert_eq!(
        resolved_agent(admin, &service, "edge").await,
        3,
        "what floats follows"
    );
    assert_eq!(resolved_agent(admin, &service, "release").await, 1);
    put(admin, &service, "test", 2).await;
    assert_eq!(resolved_agent(admin, &service, "test").await, 2);
    admin.delete(&format!("{}/test/", sets(&service))).await;
    assert_eq!(resolve(admin, &service, "test").await.status, 410);
}

#[both_engines]
async fn a_service_that_gets_another_agent_resolves_to_it_at_once(server: TestServer) {
    let (admin, service, agent) = (server.admin(), server.service(1).await, server.agent(3).await);
    let before = resolve(admin, &service, "release").await;
    let changed = admin
        .post(&format!("service/{service}/"), json!({"agent_id": agent}))
        .await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let after = resolve(admin, &service, "release").await;
    assert_eq!(after.body["agent_version_info"], json!([agent, 3]));
    assert_ne!(before.headers["etag"], after.headers["etag"]);
}

#[both_engines]
async fn conditions_on_the_name_of_a_service_follow_its_name(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(1).await);
    let name = |name: &str| json!({"service_name": {"type": "Equals", "value": name}});
    let role = json!({
        "role_name": "Reader", "description": "d", "frontend_view": "client", "inherited_from": null,
        "permission_grants": [{"permission_name": "Service:GetVersionSet", "conditions": name("Care")}],
    });
    let role = admin.post("role/", role).await;
    assert_eq!(role.status, 201, "{}", role.body);
    let reader = server.user(DefaultRole::User).await;
    let assigned = json!({"user_id": reader.user_id});
    let assigned = admin.post("role/Reader/assign", assigned).await;
    assert!(assigned.status.is_success(), "{}", assigned.body);
    assert_eq!(resolve(&reader, &service, "release").await.status, 403);
    admin
        .post(&format!("service/{service}/"), json!({"name": "Care"}))
        .await;
    assert_eq!(resolve(&reader, &service, "release").await.status, 200);
    admin
        .post(&format!("service/{service}/"), json!({"name": "Cure"}))
        .await;
    assert_eq!(resolve(&reader, &service, "release").await.status, 403);
}

#[both_engines]
async fn while_the_database_is_away_what_runs_is_still_told(database: TestDatabase) {
    let server = TestServer::alone(&database).await;
    let (admin, service) = (server.admin(), server.service(1).await);
    let before = resolve(admin, &service, "release").await;
    assert_eq!(before.headers.get("warning"), None);
    let with_documents = format!("{}/release/resolve?include=documents", sets(&service));
    let contents = admin.get(&with_documents).await;
    let app = server.app.clone();
    let following = tokio::spawn(async move { follow(&app, Duration::from_millis(10)).await });

    server.app.store.close().await;
    let stale = eventually(
        async || resolve(admin, &service, "release").await,
        |answer| answer.headers.contains_key("warning"),
    )
    .await;
    assert_eq!((stale.status.as_u16(), &stale.body), (200, &before.body));
    assert_eq!(stale.headers["etag"], before.headers["etag"]);
    assert!(stale.headers["warning"].to_str().unwrap().starts_with("110 "));
    let stale = admin.get(&with_documents).await;
    assert_eq!((stale.status.as_u16(), &stale.body), (200, &contents.body));
    assert!(stale.headers.contains_key("warning"));
    server.clock.advance_seconds(90);
    let older = resolve(admin, &service, "release").await;
    assert_eq!(older.headers["age"], "90");

    let [user, key, secret] = &server.credentials;
    let headers = [
        ("x-user-id", user.as_str()),
        ("x-api-key-id", key),
        ("x-api-key", secret),
    ];
    let path = "user/signin_with_api_key";
    let session = admin
        .anonymous()
        .send_raw(Method::POST, path, &headers, None, Vec::new())
        .await;
    assert_eq!(session.status, 200, "{}", session.body);
    let fresh = admin.with_token(session.body["id_token"].as_str().unwrap());
    assert_eq!(resolve(&fresh, &service, "release").await.status, 200);

    for write in [
        put(admin, &service, "test", 1).await,
        add_agent_version(admin, &"0".repeat(24)).await,
    ] {
        assert_eq!(write.status, 503, "{}", write.body);
        assert!(write.headers.contains_key("retry-after"));
    }
    assert_eq!(admin.get(&format!("{}/", sets(&service))).await.status, 503);
    assert_eq!(admin.get("//readyz").await.status, 503);
    following.abort();
}

#[both_engines]
async fn a_reader_can_wait_for_a_change(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(1).await);
    let sequence = put(admin, &service, "test", 1).await.sequence().unwrap();
    for path in [
        format!("{}/test/resolve", sets(&service)),
        format!("{}/test/", sets(&service)),
    ] {
        let answer = with_sequence(admin, &path, &sequence.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let never = with_sequence(admin, &path, "never").await;
        assert_eq!(never.faults(), ["header.Forge-Min-Sequence: invalid"]);
    }
    let path = format!("{}/test/resolve", sets(&service));
    let behind = with_sequence(admin, &path, &(sequence + 1).to_string()).await;
    assert_eq!(behind.status, 503);
    assert!(
        behind
            .detail()
            .contains(&format!("change {sequence} but not yet {}", sequence + 1))
    );
    assert!(behind.headers.contains_key("retry-after"));
}

/// Runs a test with two servers on one database, where there can be two.
macro_rules! two_servers {
    ($(async fn $name:ident($server:ident, $app:ident, $other:ident) $body:block)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            if !Engine::Postgres.is_available() {
                return;
            }
            let database = TestDatabase::start(Engine::Postgres).await;
            let $server = TestServer::alone(&database).await;
            let ($app, $other) = second_server(&$server, &database).await;
            $body
            $app.store.close().await;
            $server.app.store.close().await;
        })*
    };
}

two_servers! {
    async fn another_server_hears_of_a_change(server, app, other) {
        let (admin, service) = (server.admin(), server.service(2).await);
        assert_eq!(resolved_agent(&other, &service, "release").await, 2);
        let following = { let app = app.clone(); tokio::spawn(async move { follow(&app, SOON).await }) };
        // It does not look by itself again before the test is over: what it learns, it has heard.
        eventually(
            async || {
                put(admin, &service, "release", 1).await;
                put(admin, &service, "release", 2).await;
                put(admin, &service, "release", 1).await;
                resolve(&other, &service, "release").await
            },
            |answer| answer.body["agent_version_info"][1] == json!(1),
        ).await;
        following.abort();
    }

    async fn grants_that_end_with_a_role_end_on_every_server(server, app, other) {
        let user = server.user(DefaultRole::Administrator).await;
        let given = json!({"user_id": user.user_id, "duration": "P1D", "tags": {}, "justification": "to help out",
            "permission_grant": {"permission_name": "Organization:GetAuditEvent", "conditions": {}}});
        assert_eq!(server.admin().post("role/temporary_permission_grant/", given).await.status, 201);
        let through = |router: &axum::Router| TestClient { router: router.clone(), ..user.clone() };
        let elsewhere = through(&other.router);
        let head = async || elsewhere.get("audit_event/head").await;
        let following = { let app = app.clone(); tokio::spawn(async move { follow(&app, SOON).await }) };
        eventually(head, |answer| answer.status == 200).await;
        let assigned = json!({"user_id": user.user_id});
        assert_eq!(server.admin().post("role/DefaultUserRole/assign", assigned).await.status, 200);
        eventually(head, |answer| answer.status == 403).await;
        following.abort();
        // One that is started later knows it as well.
        let later = App { snapshots: Arc::default(), ..app.clone() };
        let later = through(&forge_api::router(later, forge_testkit::limits()));
        assert_eq!(later.get("audit_event/head").await.status, 403);
    }

    async fn another_server_shows_a_change_that_the_reader_knows_of_at_once(server, _app, other) {
        let (admin, service) = (server.admin(), server.service(2).await);
        assert_eq!(resolved_agent(&other, &service, "release").await, 2);
        for agent in [1, 2, 1, 2] {
            let sequence = put(admin, &service, "release", agent).await.sequence().unwrap();
            let path = format!("{}/release/resolve", sets(&service));
            let answer = with_sequence(&other, &path, &sequence.to_string()).await;
            assert_eq!(answer.body["agent_version_info"][1], json!(agent), "{}", answer.body);
        }
    }

    async fn a_new_user_can_sign_in_at_another_server_at_once(server, _app, other) {
        let service = server.service(1).await;
        assert_eq!(resolve(&other, &service, "release").await.status, 200);
        let user = server.user(DefaultRole::Administrator).await;
        let [_, key, secret] = &server.credentials;
        let headers = [("x-user-id", user.user_id.as_str()), ("x-api-key-id", key), ("x-api-key", secret)];
        let path = "user/signin_with_api_key";
        let session = other.anonymous().send_raw(Method::POST, path, &headers, None, Vec::new()).await;
        assert_eq!(session.status, 200, "{}", session.body);
    }

    async fn a_token_of_a_new_user_is_recognised_by_another_server_at_once(server, _app, other) {
        let service = server.service(1).await;
        assert_eq!(resolve(&other, &service, "release").await.status, 200);
        let user = server.user(DefaultRole::Administrator).await;
        let there = other.with_token(user.token.as_deref().unwrap());
        assert_eq!(resolve(&there, &service, "release").await.status, 200);
    }

    async fn a_right_that_was_taken_away_is_not_used_on_another_server(server, _app, other) {
        let (admin, service) = (server.admin(), server.service(2).await);
        let user = server.user(DefaultRole::Administrator).await;
        let there = other.with_token(user.token.as_deref().unwrap());
        assert_eq!(put(&there, &service, "release", 1).await.status, 204);
        let deleted = admin.delete(&format!("user/{}", user.user_id)).await;
        assert!(deleted.status.is_success(), "{}", deleted.body);
        // The other server has not heard of it.
        let refused = put(&there, &service, "release", 2).await;
        assert_eq!(refused.status, 401, "{}", refused.body);
        assert_eq!(resolved_agent(admin, &service, "release").await, 1);
    }

    async fn whoever_was_deleted_or_demoted_elsewhere_founds_no_organization(server, _app, other) {
        let (admin, service) = (server.admin(), server.service(2).await);
        let found = async |there: &TestClient, id: &str| {
            create_in(there, Some("default"), id, &organization_body(id)).await
        };
        for (id, is_deleted) in [("one-more", true), ("yet-another", false)] {
            let user = server.user(DefaultRole::SuperAdministrator).await;
            let there = other.with_token(user.token.as_deref().unwrap());
            assert_eq!(put(&there, &service, "release", 1).await.status, 204);
            let gone = if is_deleted {
                admin.delete(&format!("user/{}", user.user_id)).await
            } else {
                admin.post("role/DefaultUserRole/assign", json!({"user_id": user.user_id})).await
            };
            assert!(gone.status.is_success(), "{}", gone.body);
            // The other server has not heard of it.
            let refused = found(&there, id).await;
            assert_eq!(refused.status, 401, "{}", refused.body);
            let made = found(&other, id).await;
            assert_eq!(made.status, 201, "{}", made.body);
        }
    }

    async fn somebody_who_gained_rights_elsewhere_is_not_refused_for_it(server, _app, other) {
        let (admin, service) = (server.admin(), server.service(2).await);
        assert_eq!(put(&other, &service, "release", 1).await.status, 204);
        // Somebody else's rights change: the caller's own are looked at again and found the same.
        let added: Value = server.user(DefaultRole::User).await.user_id.into();
        assert!(added.is_string());
        let key = admin.post("organization/api_key/", json!({
            "duration": "P1D", "role_name": "DefaultAdministratorRole", "name": null,
        })).await;
        assert_eq!(key.status, 201, "{}", key.body);
        assert_eq!(put(&other, &service, "release", 2).await.status, 204);
    }
}

#[both_engines]
async fn what_is_written_after_the_database_has_gone_back_is_what_runs(database: TestDatabase) {
    let server = TestServer::alone(&database).await;
    let service = server.service(2).await;
    let client = server.admin();
    assert_eq!(put(client, &service, "test", 1).await.status, 204);
    assert_eq!(put(client, &service, "test", 2).await.status, 204);
    for agent in [1, 2, 1, 2] {
        assert_eq!(put(client, &service, "preview", agent).await.status, 204);
    }
    assert_eq!(resolved_agent(client, &service, "test").await, 2);
    // A backup, or a standby that had not heard of everything.
    database
        .tamper("UPDATE organization SET change_number = change_number - 4 WHERE change_number > 6")
        .await;
    assert_eq!(put(client, &service, "test", 1).await.status, 204);
    assert_eq!(resolved_agent(client, &service, "test").await, 1);
    assert_eq!(put(client, &service, "test", 2).await.status, 204);
    assert_eq!(resolved_agent(client, &service, "test").await, 2);
    // Also where nobody writes: it is looked for.
    database
        .tamper("UPDATE organization SET change_number = change_number - 4 WHERE change_number > 6")
        .await;
    let app = server.app.clone();
    let before = Arc::as_ptr(&app.store.watermarks().of(&client.organization.parse().unwrap())) as usize;
    let following = tokio::spawn(async move { follow(&app, Duration::from_millis(10)).await });
    let (store, organization) = (server.app.store.clone(), client.organization.parse().unwrap());
    let is_new = async || {
        while Arc::as_ptr(&store.watermarks().of(&organization)) as usize == before {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SOON, is_new()).await.unwrap();
    following.abort();
}

#[both_engines]
async fn another_history_with_the_same_or_higher_numbers_is_read_anew(database: TestDatabase) {
    let server = TestServer::alone(&database).await;
    let service = server.service(2).await;
    let client = server.admin();
    assert_eq!(put(client, &service, "test", 1).await.status, 204);
    assert_eq!(resolved_agent(client, &service, "test").await, 1);
    // A standby took over that had not heard of the last change, and others were made there.
    elsewhere(&database, "test", 2).await;
    let app = server.app.clone();
    let following = tokio::spawn(async move { follow(&app, Duration::from_millis(10)).await });
    let answer = eventually(
        async || resolve(client, &service, "test").await,
        |answer| answer.body["agent_version_info"][1] == 2,
    );
    answer.await;
    following.abort();
    // Also where it is further ahead by the time anybody looks.
    elsewhere(&database, "test", 1).await;
    assert_eq!(put(client, &service, "preview", 2).await.status, 204);
    assert_eq!(resolved_agent(client, &service, "test").await, 1);
}

#[both_engines]
async fn what_is_written_runs_at_once_however_many_read(database: TestDatabase) {
    let server = TestServer::alone(&database).await;
    let service = server.service(2).await;
    let client = server.admin();
    assert_eq!(put(client, &service, "test", 1).await.status, 204);
    assert_eq!(resolved_agent(client, &service, "test").await, 1);
    // On PostgreSQL, a write takes one of the connections, too.
    let most = if database.engine == Engine::Sqlite { 6 } else { 17 };
    let mut reading = Vec::new();
    for _ in 0..most {
        reading.push(server.app.store.read().await.unwrap());
    }
    assert_eq!(put(client, &service, "test", 2).await.status, 204);
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let store = server.app.store.clone();
            tokio::spawn(async move {
                let read = store.read().await;
                std::future::pending::<()>().await;
                drop(read);
            })
        })
        .collect();
    tokio::task::yield_now().await;
    let answer = resolve(client, &service, "test").await;
    assert_eq!(answer.body["agent_version_info"][1], 2);
    assert_eq!(answer.headers.get("warning"), None);
    drop(reading);
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

#[both_engines]
async fn what_may_have_been_made_meanwhile_is_not_said_to_be_unknown(database: TestDatabase) {
    let server = TestServer::alone(&database).await;
    let service = server.service(1).await;
    let client = server.admin();
    assert_eq!(put(client, &service, "test", 1).await.status, 204);
    assert_eq!(resolved_agent(client, &service, "test").await, 1);
    // A change is known of, and all connections are taken.
    let organization = client.organization.parse().unwrap();
    let head = *server.app.store.watermarks().of(&organization).borrow();
    server.app.store.watermarks().advance_to(&organization, head + 1);
    let all = if database.engine == Engine::Sqlite { 8 } else { 20 };
    let mut reading = Vec::new();
    for _ in 0..all {
        reading.push(server.app.store.read_at_once().await.unwrap());
    }
    let known = resolve(client, &service, "test").await;
    assert_eq!(known.body["agent_version_info"][1], 1);
    assert!(known.headers.contains_key("warning"));
    for (service, set) in [
        (service.as_str(), "preview"),
        ("0123456789abcdef01234567", "test"),
    ] {
        let unknown = resolve(client, service, set).await;
        assert_eq!(
            (
                unknown.status.as_u16(),
                unknown.headers.contains_key("retry-after")
            ),
            (503, true),
            "{set}"
        );
    }
    drop(reading);
}
