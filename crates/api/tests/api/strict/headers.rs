//! What headers ask for.

use axum::http::Method;
use forge_testkit::{both_engines, version_set};
use serde_json::json;

use super::with_header;
use crate::support::releases::Release;

#[both_engines]
async fn what_asks_for_safety_in_a_header_is_not_overlooked(server: TestServer) {
    let service = server.service(2).await;
    let path = format!("service/{service}/version_sets/test/");
    let put = json!({"version_set": version_set(1, 1)});
    assert_eq!(server.admin().put(&path, put).await.status, 204);
    let promote = format!("service/{service}/version_sets/release/promote");
    let body = serde_json::to_vec(&json!({"source": "test"})).unwrap();
    for name in [
        "forge-dry-run",
        "dry-run",
        "forge-plan-digest",
        "forge-if-match",
        "x-if-match",
        "if_match",
        "if-unmodified-since",
        "x-idempotency-key",
        "forge-min-sequences",
    ] {
        let headers = [(name, "1"), ("content-type", "application/json")];
        let told = server
            .admin()
            .send_raw(Method::POST, &promote, &headers, None, body.clone())
            .await;
        assert_eq!(told.status, 422, "{name}: {}", told.body);
    }
    let agent = server.agent(1).await;
    let path = format!("organization/agent/{agent}/");
    for (kind, body) in [
        ("application/x-www-form-urlencoded", "dry_run=true"),
        ("text/plain", "dry run, please"),
    ] {
        let headers = [("content-type", kind)];
        let told = server
            .admin()
            .send_raw(Method::DELETE, &path, &headers, None, body.into())
            .await;
        assert_eq!(told.status, 422, "{kind}: {}", told.body);
    }
}

#[both_engines]
async fn who_declares_what_they_are_is_understood_or_refused(server: TestServer) {
    let release = Release::new(&server, 1).await;
    for kind in ["Agent", "agnet", ""] {
        let answer = with_header(
            &release,
            Method::PUT,
            &release.set("test"),
            ("Forge-Actor-Kind", kind),
        )
        .await;
        assert_eq!(answer.faults(), ["header.Forge-Actor-Kind: enum"], "{kind}");
    }
}
