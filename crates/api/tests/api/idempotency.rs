//! Calls that are made again under the same key.

use axum::http::Method;
use forge_domain::UserRef;
use forge_domain::audit::canonical_json;
use forge_store::CallName;
use forge_testkit::{TestClient, TestResponse, both_engines, version_set};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::organization::organization;
use crate::support::releases::{Release, assert_applied};

const KEY: [(&str, &str); 1] = [("Idempotency-Key", "k")];

async fn post(client: &TestClient, path: &str, body: &Value) -> TestResponse {
    let json = Some("application/json");
    client
        .send_raw(Method::POST, path, &KEY, json, body.to_string().into_bytes())
        .await
}

/// Creates the same call several times at once and returns the answers.
async fn at_once(client: &TestClient, path: &str, body: &Value) -> Vec<TestResponse> {
    let calls = (0..8).map(|_| {
        let (client, path, body) = (client.clone(), path.to_owned(), body.clone());
        tokio::spawn(async move { post(&client, &path, &body).await })
    });
    let mut answers = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        answers.push(call.await.unwrap());
    }
    answers
}

#[both_engines]
async fn of_equal_calls_at_once_one_is_carried_out_and_all_are_answered_alike(server: TestServer) {
    let agent = server.agent(1).await;
    let path = format!("organization/agent/{agent}/");
    let answers = at_once(server.admin(), &path, &json!({"initials": "N"})).await;
    for answer in &answers {
        assert_eq!(
            (answer.status.as_u16(), &answer.body["version"]),
            (201, &json!(2)),
            "{}",
            answer.body
        );
        assert_eq!(answer.sequence(), answers[0].sequence());
    }
    let versions = server
        .admin()
        .get(&format!("organization/agent/{agent}/version"))
        .await;
    assert_eq!(
        versions.body["agent_versions"].as_array().unwrap().len(),
        2,
        "{}",
        versions.body
    );
}

#[both_engines]
async fn no_more_is_remembered_for_a_user_than_is_admitted(server: TestServer) {
    let limits = forge_api::Limits {
        answers_bytes: 1,
        ..forge_testkit::limits()
    };
    let client = TestClient {
        router: server.router_with(limits),
        ..server.admin().clone()
    };
    let call = async |key: &str, name: &str| {
        let body = json!({"agent_name": name}).to_string().into_bytes();
        let headers = [("Idempotency-Key", key)];
        client
            .send_raw(
                Method::POST,
                "organization/agent",
                &headers,
                Some("application/json"),
                body,
            )
            .await
    };
    let first = call("a", "Mira").await;
    assert_eq!(first.status, 201, "{}", first.body);
    let refused = call("b", "Tom").await;
    assert_eq!(refused.faults(), ["header.Idempotency-Key: too_many_answers"]);
    assert_eq!(
        call("a", "Mira").await.body,
        first.body,
        "what was remembered is told"
    );
    assert_eq!(
        client
            .post("organization/agent", json!({"agent_name": "Tom"}))
            .await
            .status,
        201
    );
}

#[both_engines]
async fn a_new_key_is_told_again_and_never_stored_in_the_clear(server: TestServer) {
    let body = json!({"name": "ci", "duration": "P1D", "role_name": "DefaultUserRole"});
    let first = post(server.admin(), "organization/api_key/", &body).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let secret = first.body["api_key"].as_str().unwrap();
    assert_eq!(
        post(server.admin(), "organization/api_key/", &body).await.body,
        first.body
    );
    let path = canonical_json(&json!({"organization": server.admin().organization}));
    let name = CallName {
        organization: organization(&server),
        user: UserRef {
            org_id: organization(&server),
            user_id: server.admin().user_id.clone(),
        },
        path: format!(
            "create-api-key {}",
            forge_domain::hex(&Sha256::digest(path.as_bytes()))
        ),
        key: "k".to_owned(),
        request_hash: String::new(),
    };
    let mut tx = server.app.store.read().await.unwrap();
    let stored = tx
        .find_answer(&name, forge_domain::Timestamp::from_millis(0))
        .await
        .unwrap()
        .unwrap();
    assert!(
        !stored.answer.contains(secret) && !stored.answer.contains("api_key"),
        "{}",
        stored.answer
    );
    let keys = server.admin().get("organization/api_key/").await;
    let of_ci = keys.body["api_keys"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|key| key["name"] == "ci")
        .count();
    assert_eq!(of_ci, 1, "{}", keys.body);
}

#[both_engines]
async fn what_failed_for_the_moment_may_be_tried_again_under_the_same_key(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.put("preview", version_set(2, 1)).await;
    let path = format!("{}/release/promote", release.sets());
    let headers = [KEY[0], ("If-Match", "\"2\"")];
    let send = || release.send(Method::POST, &path, &headers, json!({"source": "preview"}));
    assert_eq!(send().await.status, 412);
    release.put("release", version_set(1, 1)).await;
    let applied = send().await;
    assert_applied(&applied, 3);
    assert_eq!(send().await.body, applied.body);
    // A dry run takes nobody's place.
    let dry = release.send(
        Method::POST,
        &path,
        &[("Idempotency-Key", "d")],
        json!({"source": "edge", "dry_run": true}),
    );
    assert_eq!(dry.await.body["applied"], false);
    let real = release.send(
        Method::POST,
        &path,
        &[("Idempotency-Key", "d")],
        json!({"source": "edge"}),
    );
    assert_applied(&real.await, 4);
}

#[both_engines]
async fn each_user_has_keys_of_their_own(server: TestServer) {
    let other = server
        .user(forge_domain::access::DefaultRole::Administrator)
        .await;
    let agent = server.agent(1).await;
    let path = format!("organization/agent/{agent}/");
    for (client, version) in [(server.admin(), 2), (&other, 3), (server.admin(), 2), (&other, 3)] {
        let answer = post(client, &path, &json!({"initials": "N"})).await;
        assert_eq!(answer.body["version"], version, "{}", answer.body);
    }
}

#[both_engines]
async fn what_is_done_without_the_organizations_lock_is_done_once_too(server: TestServer) {
    let service = server.service(1).await;
    let created = crate::conversations::create(server.admin(), &service, json!({})).await;
    let path = format!("conversation/{}/finish/", created.conversation());
    for answer in at_once(server.admin(), &path, &json!({})).await {
        assert_eq!(answer.status, 204, "{}", answer.body);
    }
    let without = server.admin().post(&path, json!({})).await;
    assert_eq!(without.status, 409, "a call without a key is another call");
}

#[both_engines]
async fn a_key_that_means_nothing_is_refused_and_says_why(server: TestServer) {
    let service = server.service(1).await;
    let path = "conversation/?response_format=text";
    let answer = post(server.admin(), path, &json!({"service_id": service})).await;
    assert_eq!(answer.faults(), ["header.Idempotency-Key: unknown_name"]);
    let msg = answer.body["detail"][0]["msg"].as_str().unwrap();
    assert!(msg.contains("a stream, which cannot be told again"), "{msg}");
    let long = "k".repeat(256);
    for wrong in ["", &long] {
        let headers = [("Idempotency-Key", wrong)];
        let json = Some("application/json");
        let body = br#"{"agent_name": "Ada"}"#.to_vec();
        let answer = server
            .admin()
            .send_raw(Method::POST, "organization/agent", &headers, json, body)
            .await;
        assert_eq!(answer.status, 422, "{}", answer.body);
    }
}
