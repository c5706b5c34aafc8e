//! Calls that are sent again.

use axum::http::Method;
use forge_testkit::{both_engines, version_set};
use serde_json::json;

use crate::support::organization::a_day_later;
use crate::support::releases::{Release, assert_applied, assert_blocked};

#[both_engines]
async fn a_repeated_call_is_answered_as_the_first_was(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.put("preview", version_set(2, 1)).await;
    let path = format!("{}/release/promote", release.sets());
    let key = [("Idempotency-Key", "deploy-42")];
    let body = json!({"source": "preview"});
    let first = release.send(Method::POST, &path, &key, body.clone()).await;
    assert_applied(&first, 2);
    release.put("preview", version_set(3, 1)).await;
    let again = release.send(Method::POST, &path, &key, body.clone()).await;
    assert_eq!(
        (again.status, &again.body, again.sequence()),
        (first.status, &first.body, first.sequence())
    );
    assert_eq!(
        release.agent("release").await,
        Some(2),
        "repeating did not promote again"
    );
    let other = release
        .send(Method::POST, &path, &key, json!({"source": "edge"}))
        .await;
    assert_eq!(other.faults(), ["header.Idempotency-Key: idempotency_key_reused"]);
    // Other paths and other users have keys of their own.
    let elsewhere = format!("{}/test/promote", release.sets());
    assert_applied(
        &release.send(Method::POST, &elsewhere, &key, body.clone()).await,
        1,
    );
    // A refusal is remembered too, and a no-op.
    let key = [("Idempotency-Key", "deploy-43")];
    let bad = json!({"source": "nothing"});
    let refused = release.send(Method::POST, &path, &key, bad.clone()).await;
    assert_blocked(&refused, &["unknown_source"]);
    release.put("nothing", version_set(1, 1)).await;
    assert_eq!(
        release.send(Method::POST, &path, &key, bad.clone()).await.body,
        refused.body
    );
    // After a day it is forgotten.
    let client = a_day_later(&server).await;
    let json = Some("application/json");
    let bytes = bad.to_string().into_bytes();
    let later = client.send_raw(Method::POST, &path, &key, json, bytes).await;
    assert_applied(&later, 3);
}

#[both_engines]
async fn of_calls_with_one_key_made_at_once_one_takes_place(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.put("test", version_set(1, 1)).await;
    release.put("test", version_set(2, 1)).await;
    let path = format!("{}/test/rollback", release.sets());
    let calls = (0..8).map(|_| {
        let (client, path) = (release.client.clone(), path.clone());
        tokio::spawn(async move {
            let headers = [("Idempotency-Key", "once")];
            client
                .send_raw(Method::POST, &path, &headers, None, Vec::new())
                .await
        })
    });
    let mut bodies = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        let answer = call.await.unwrap();
        assert_applied(&answer, 3);
        bodies.push(answer.body);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(release.history("test").await.len(), 3);
}
