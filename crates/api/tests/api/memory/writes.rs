//! What was written is what is read next.

use forge_domain::access::DefaultRole;
use forge_testkit::{Engine, TestClient, TestServer, both_engines};
use serde_json::json;

use super::{add_agent_version, put, resolve, resolved_agent, sets, with_sequence};

async fn agent_of(client: &TestClient, service: &str) -> String {
    let found = client.get(&format!("service/?id={service}")).await;
    found.body["services"][0]["agent_id"].as_str().unwrap().to_owned()
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
    let head = server.app.store.watermarks().of(&organization).number();
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
