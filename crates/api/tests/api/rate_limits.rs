//! How often who may call what.

use std::collections::HashMap;

use axum::http::Method;
use forge_api::{Limits, RateLimits};
use forge_contract::contract;
use forge_domain::Clock as _;
use forge_domain::access::DefaultRole;
use forge_testkit::{TestClient, TestResponse, TestServer, both_engines};
use serde_json::json;

const AGENTS: &str = "organization/agent";

/// Returns a client of the same server with other limits.
fn limited(server: &TestServer, rates: RateLimits) -> TestClient {
    let limits = Limits {
        rates,
        ..Limits::default()
    };
    let router = server.router_with(limits);
    TestClient {
        router,
        ..server.admin().clone()
    }
}

/// Returns a client of the same server with the limits of the contract.
fn documented(server: &TestServer) -> TestClient {
    limited(server, RateLimits::default())
}

async fn create_agent(client: &TestClient, name: &str) -> TestResponse {
    client.post(AGENTS, json!({"agent_name": name})).await
}

/// Creates as many agents as may be created in a minute.
async fn exhaust(client: &TestClient) {
    for number in 0..10 {
        assert_eq!(
            create_agent(client, &format!("another agent {number}"))
                .await
                .status,
            201
        );
    }
}

#[track_caller]
fn header(response: &TestResponse, name: &str) -> i64 {
    response.headers[name].to_str().unwrap().parse().unwrap()
}

async fn sign_in(client: &TestClient, server: &TestServer, secret: &str) -> u16 {
    let [user_id, key_id, _] = &server.credentials;
    let headers = [
        ("x-user-id", user_id.as_str()),
        ("x-api-key-id", key_id),
        ("x-api-key", secret),
    ];
    let client = client.anonymous();
    let answer = client
        .send_raw(
            Method::POST,
            "user/signin_with_api_key",
            &headers,
            None,
            Vec::new(),
        )
        .await;
    answer.status.as_u16()
}

#[both_engines]
async fn the_eleventh_agent_in_a_minute_is_refused_and_not_created(server: TestServer) {
    let client = documented(&server);
    for number in 0..10 {
        let created = create_agent(&client, &format!("agent {number}")).await;
        assert_eq!(created.status, 201);
        assert_eq!(header(&created, "x-ratelimit-limit"), 10);
        assert_eq!(header(&created, "x-ratelimit-remaining"), 9 - number);
    }
    let refused = create_agent(&client, "too many").await;
    assert_eq!(refused.status, 429);
    assert!(refused.detail().contains("Retry-After"));
    assert_eq!(header(&refused, "x-ratelimit-limit"), 10);
    assert_eq!(header(&refused, "x-ratelimit-remaining"), 0);
    assert_eq!(
        header(&refused, "x-ratelimit-reset"),
        server.clock.now().as_seconds() + 60
    );
    assert!(
        (1..=7).contains(&header(&refused, "retry-after")),
        "one of ten comes back every six seconds"
    );
    let there = server.admin().get("organization/agent?limit=20").await;
    assert_eq!(there.body["agents"].as_array().unwrap().len(), 10);
    server.clock.advance_seconds(header(&refused, "retry-after"));
    assert_eq!(create_agent(&client, "at last").await.status, 201);
    assert_eq!(create_agent(&client, "again too many").await.status, 429);
    server.clock.advance_seconds(60);
    exhaust(&client).await;
}

#[both_engines]
async fn another_user_and_another_operation_are_not_affected(server: TestServer) {
    let client = documented(&server);
    exhaust(&client).await;
    assert_eq!(create_agent(&client, "too many").await.status, 429);
    assert_eq!(client.get(AGENTS).await.status, 200);
    let user = server.user(DefaultRole::Administrator).await;
    let user = TestClient {
        router: client.router.clone(),
        ..user
    };
    assert_eq!(create_agent(&user, "another user's").await.status, 201);
    let stranger = TestClient {
        router: client.router.clone(),
        ..server.stranger().clone()
    };
    assert_eq!(
        create_agent(&stranger, "another organization's").await.status,
        201
    );
}

#[both_engines]
async fn refused_requests_count_and_are_told_so_before_their_faults(server: TestServer) {
    let client = documented(&server);
    for _ in 0..10 {
        let invalid = client.post(AGENTS, json!({})).await;
        assert_eq!(invalid.status, 422);
        assert!(invalid.headers.contains_key("x-ratelimit-remaining"));
    }
    assert_eq!(client.post(AGENTS, json!({})).await.status, 429);
    let unknown = client.anonymous().post(AGENTS, json!({})).await;
    assert_eq!(unknown.status, 401, "whoever is nobody has no limit");
    assert!(!unknown.headers.contains_key("x-ratelimit-limit"));
}

#[both_engines]
async fn limits_are_set_by_operation_and_switched_off(server: TestServer) {
    let per_minute = HashMap::from([("create-agent".to_owned(), 2)]);
    let client = limited(
        &server,
        RateLimits {
            per_minute,
            ..RateLimits::default()
        },
    );
    for (name, expected) in [("one", 201), ("two", 201), ("three", 429)] {
        assert_eq!(create_agent(&client, name).await.status, expected);
    }
    let client = limited(
        &server,
        RateLimits {
            is_off: true,
            ..RateLimits::default()
        },
    );
    for number in 0..15 {
        let created = create_agent(&client, &format!("free {number}")).await;
        assert_eq!(created.status, 201);
        assert!(!created.headers.contains_key("x-ratelimit-limit"));
    }
}

#[both_engines]
async fn version_sets_are_read_six_hundred_times_a_minute_and_resolved_without_limit(server: TestServer) {
    let service = server.service(1).await;
    let client = documented(&server);
    let sets = client.get(&format!("service/{service}/version_sets/")).await;
    assert_eq!(
        (sets.status.as_u16(), header(&sets, "x-ratelimit-limit")),
        (200, 600)
    );
    for _ in 0..60 {
        let resolved = client
            .get(&format!("service/{service}/version_sets/release/resolve"))
            .await;
        assert_eq!(resolved.status, 200);
        assert!(!resolved.headers.contains_key("x-ratelimit-limit"));
        assert_eq!(client.get("organization/").await.status, 200);
    }
}

#[both_engines]
async fn five_wrong_secrets_are_enough_for_a_minute_and_lock_no_right_one_out(server: TestServer) {
    let client = documented(&server);
    for expected in [401, 401, 401, 401, 401, 429] {
        assert_eq!(sign_in(&client, &server, "forge_wrong").await, expected);
    }
    let secret = &server.credentials[2];
    for expected in [200, 200, 200, 200, 200, 429] {
        assert_eq!(sign_in(&client, &server, secret).await, expected);
    }
    server.clock.advance_seconds(60);
    assert_eq!(sign_in(&client, &server, "forge_wrong").await, 401);
    assert_eq!(sign_in(&client, &server, secret).await, 200);
}

#[test]
fn the_documented_limits_are_those_of_the_contract() {
    let limit = |id| contract().operation(id).unwrap().requests_per_minute;
    for (id, documented) in [
        ("create-organization", Some(5)),
        ("create-agent", Some(10)),
        ("get-agents", Some(20)),
        ("create-api-key", Some(5)),
        ("get-services", Some(50)),
        ("upsert-service-version-set", Some(30)),
        ("create-invited-user", Some(50)),
        ("get-users", Some(60)),
        ("delete-user", Some(500)),
        ("create-role", Some(20)),
        ("assign-role", Some(1000)),
        ("create-temporary-permission-grant", Some(100)),
        ("sign-in-with-api-key", Some(5)),
        ("get-version-set", Some(600)),
        ("watch-organization", Some(600)),
        ("get-organization", None),
        ("resolve-version-set", None),
    ] {
        assert_eq!(limit(id), documented, "{id}");
    }
}

#[test]
fn every_operation_that_needs_a_user_has_a_limit_but_resolving_and_those_in_the_open() {
    let unlimited: Vec<&str> = contract()
        .operations()
        .filter(|operation| operation.requests_per_minute.is_none())
        .map(|operation| operation.id.as_str())
        .collect();
    for id in &unlimited {
        let is_known = [
            "get-organization",
            "resolve-version-set",
            "get-liveness",
            "get-readiness",
            // Whoever has the link is nobody.
            "download-simulation-unit-test-set-run-artifacts",
            "get-openapi",
        ];
        assert!(is_known.contains(id), "{id} has no limit");
    }
    assert!(unlimited.contains(&"get-organization"));
}
