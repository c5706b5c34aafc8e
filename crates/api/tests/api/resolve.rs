//! What a runtime is told to run: again, unchanged, and in the past.

use axum::http::Method;
use forge_testkit::{TestResponse, TestServer, both_engines, version_set};
use serde_json::{Value, json};

async fn resolve_with(server: &TestServer, path: &str, tag: &str) -> TestResponse {
    let headers = [("If-None-Match", tag)];
    server
        .admin()
        .send_raw(Method::GET, path, &headers, None, Vec::new())
        .await
}

/// Returns a moment as a query takes it.
fn now(server: &TestServer) -> String {
    use forge_domain::Clock as _;
    forge_wire::rfc3339(server.clock.now())
}

fn agent_version(body: &Value) -> i64 {
    body["agent_version_info"][1].as_i64().unwrap()
}

#[both_engines]
async fn what_a_runtime_has_already_is_not_sent_again(server: TestServer) {
    let service = server.service(2).await;
    let path = format!("service/{service}/version_sets/release/resolve");
    let first = server.admin().get(&path).await;
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(first.headers["cache-control"], "private, no-cache");
    for held in [
        tag.clone(),
        format!("W/{tag}"),
        format!("\"x\", {tag}"),
        "*".to_owned(),
    ] {
        let again = resolve_with(&server, &path, &held).await;
        assert_eq!(
            (again.status.as_u16(), &again.body),
            (304, &Value::Null),
            "{held}"
        );
        assert_eq!(again.headers["etag"], tag.as_str());
    }
    assert_eq!(resolve_with(&server, &path, "\"x\"").await.status, 200);
    let documents = server.admin().get(&format!("{path}?include=documents")).await;
    assert_ne!(
        documents.headers["etag"],
        tag.as_str(),
        "other content has another tag"
    );
    let body = json!({"version_set": version_set(1, 1)});
    server
        .admin()
        .put(&format!("service/{service}/version_sets/release/"), body)
        .await;
    let moved = resolve_with(&server, &path, &tag).await;
    assert_eq!((moved.status.as_u16(), agent_version(&moved.body)), (200, 1));
}

#[both_engines]
async fn the_past_is_told_as_it_was(server: TestServer) {
    let admin = server.admin();
    let before = now(&server);
    server.clock.advance_seconds(1);
    let service = server.service(1).await;
    let found = admin.get(&format!("service/?id={service}")).await;
    let agent = found.body["services"][0]["agent_id"].as_str().unwrap().to_owned();
    let set = format!("service/{service}/version_sets/test");
    let mut moments = Vec::new();
    // Floats on version 1, then on 2, is pinned to 1, gone, and back on 2.
    admin
        .put(
            &format!("{set}/"),
            json!({"version_set": version_set(None, None)}),
        )
        .await;
    moments.push(now(&server));
    server.clock.advance_seconds(1);
    assert_eq!(
        admin
            .post(&format!("organization/agent/{agent}/"), json!({"initials": "N"}))
            .await
            .status,
        201
    );
    moments.push(now(&server));
    server.clock.advance_seconds(1);
    admin
        .put(&format!("{set}/"), json!({"version_set": version_set(1, 1)}))
        .await;
    moments.push(now(&server));
    server.clock.advance_seconds(1);
    assert_eq!(admin.delete(&format!("{set}/")).await.status, 204);
    let gone = now(&server);
    server.clock.advance_seconds(1);
    admin
        .put(&format!("{set}/"), json!({"version_set": version_set(2, 1)}))
        .await;
    moments.push(now(&server));
    // What happens later changes nothing about the past.
    server.clock.advance_seconds(1);
    let other = server.agent(2).await;
    let rebound = admin
        .post(&format!("service/{service}/"), json!({"agent_id": other}))
        .await;
    assert_eq!(rebound.status, 200, "{}", rebound.body);
    let at = async |moment: &str| {
        admin
            .get(&format!("{set}/resolve?include=documents&at={moment}"))
            .await
    };
    for (moment, (revision, version)) in moments.iter().zip([(1, 1), (1, 2), (2, 1), (4, 2)]) {
        let answer = at(moment).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(
            (&answer.body["revision"], agent_version(&answer.body)),
            (&json!(revision), version)
        );
        assert_eq!(answer.body["agent_version_info"][0], json!(agent));
        assert_eq!(answer.body["agent"]["version"], json!(version));
    }
    let answer = at(&gone).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["revision"]),
        (410, &json!(3))
    );
    assert_eq!(at(&before).await.status, 404);
    assert_eq!(
        at("2100-01-01T00:00:00Z").await.faults(),
        ["query.at: in_the_future"]
    );
    assert_eq!(at("yesterday").await.status, 422);
}
