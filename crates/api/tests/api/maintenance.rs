//! Closing an organization, or the whole server, for a while.

use axum::http::Method;
use forge_api::{Limits, RateLimits};
use forge_app::admin;
use forge_contract::contract;
use forge_domain::OrganizationId;
use forge_testkit::{Engine, TestClient, TestServer, both_engines};
use serde_json::json;

const AGENTS: &str = "organization/agent";

/// Returns a path of an operation within its organization.
fn path(of: &str) -> String {
    let path = of.trim_start_matches("/v1/{organization}/");
    let segments = path.split('/').map(|segment| {
        if segment.starts_with('{') {
            "0123456789abcdef01234567"
        } else {
            segment
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

async fn close(server: &TestServer, client: &TestClient, is_on: bool) {
    let organization: OrganizationId = client.organization.parse().unwrap();
    admin::set_organization_maintenance(&server.app, &organization, is_on)
        .await
        .unwrap();
}

/// Asserts that every operation of the organization is closed, with or without credentials.
async fn every_operation_is_closed(server: &TestServer) {
    let served = forge_api::served_operations();
    let in_organization = |path: &str| path.starts_with("/v1/{organization}/");
    let operations = contract()
        .operations()
        .filter(|operation| served.contains(operation.id.as_str()) && in_organization(&operation.path));
    let mut count = 0;
    for operation in operations {
        let method: Method = operation.method.parse().unwrap();
        // Creating an organization names the new one in its path.
        if operation.id == "create-organization" {
            continue;
        }
        for client in [server.admin().clone(), server.admin().anonymous()] {
            let closed = client.send(method.clone(), &path(&operation.path), None).await;
            assert_eq!(closed.status, 503, "{}: {}", operation.id, closed.body);
            assert!(closed.headers.contains_key("retry-after"));
            assert!(closed.detail().contains("maintenance"));
        }
        count += 1;
    }
    assert!(count > 30, "{count} operations");
}

async fn resolve_status(client: &TestClient, service: &str) -> u16 {
    let path = format!("service/{service}/version_sets/release/resolve");
    client.get(&path).await.status.as_u16()
}

#[both_engines]
async fn a_closed_organization_answers_nothing_and_the_others_everything(server: TestServer) {
    close(&server, server.admin(), true).await;
    every_operation_is_closed(&server).await;
    assert_eq!(server.stranger().get(AGENTS).await.status, 200);
    assert_eq!(
        server
            .stranger()
            .post(AGENTS, json!({"agent_name": "Mira"}))
            .await
            .status,
        201
    );
    close(&server, server.admin(), false).await;
    assert_eq!(server.admin().get(AGENTS).await.status, 200);
}

#[both_engines]
async fn runtimes_go_on_resolving_where_that_is_configured(server: TestServer) {
    let service = server.service(1).await;
    let rates = RateLimits {
        is_off: true,
        ..RateLimits::default()
    };
    let limits = Limits {
        resolve_in_maintenance: true,
        rates,
        ..Limits::default()
    };
    let exempt = TestClient {
        router: server.router_with(limits),
        ..server.admin().clone()
    };
    close(&server, server.admin(), true).await;
    assert_eq!(resolve_status(server.admin(), &service).await, 503);
    assert_eq!(resolve_status(&exempt, &service).await, 200);
    assert_eq!(
        exempt
            .get(&format!("service/{service}/version_sets/release/"))
            .await
            .status,
        503
    );
    assert_eq!(exempt.anonymous().get("organization/").await.status, 503);
}

#[both_engines]
async fn closing_and_opening_are_in_the_audit_log(server: TestServer) {
    let organization: OrganizationId = server.admin().organization.parse().unwrap();
    close(&server, server.admin(), true).await;
    close(&server, server.admin(), false).await;
    let mut tx = server.app.store.read().await.unwrap();
    let events = tx
        .list_audit_events(&organization, 0, 1000)
        .await
        .unwrap()
        .into_rows();
    let changes: Vec<_> = events
        .iter()
        .map(|(event, _)| event)
        .filter(|event| event.action == "maintenance")
        .collect();
    assert_eq!(changes.len(), 2);
    assert!(changes.iter().all(|event| event.object.kind == "organization"));
}

/// The switch is in the store, so on a database that tests share it would close them all.
#[tokio::test]
async fn a_closed_server_answers_nobody_but_those_who_ask_for_its_health() {
    let server = TestServer::start(Engine::Sqlite).await;
    admin::set_server_maintenance(&server.app, true).await.unwrap();
    every_operation_is_closed(&server).await;
    assert_eq!(server.stranger().get(AGENTS).await.status, 503);
    for path in ["//healthz", "//readyz", "//v1/openapi.json"] {
        assert_eq!(server.admin().anonymous().get(path).await.status, 200, "{path}");
    }
    admin::set_server_maintenance(&server.app, false).await.unwrap();
    assert_eq!(server.stranger().get(AGENTS).await.status, 200);
}
