//! What is only to be tried is only tried.

use axum::http::Method;
use forge_testkit::{both_engines, version_set};
use serde_json::{Value, json};

use crate::support::examples::state;
use crate::support::releases::Release;

#[both_engines]
async fn a_dry_run_that_became_a_part_of_a_message_is_not_overlooked(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.release(2).await;
    let before = state(&server).await;
    let (sets, preview) = (release.sets(), release.set("preview"));
    for query in [
        "message=x?dry_run=true",
        "message=x%26dry_run=true",
        "message=?plan_digest=0",
        "message=x%3Flift_hold=1",
    ] {
        let fault = ["query.message: misplaced"];
        let put = format!("{preview}?{query}");
        assert_eq!(
            release
                .client
                .put(&put, json!({"version_set": version_set(1, 1)}))
                .await
                .faults(),
            fault,
            "{query}"
        );
        assert_eq!(release.client.delete(&put).await.faults(), fault, "{query}");
        for (call, body) in [("promote", json!({"source": "preview"})), ("rollback", json!({}))] {
            let path = format!("{sets}/release/{call}?{query}");
            assert_eq!(release.client.post(&path, body).await.faults(), fault, "{path}");
        }
    }
    assert_eq!(state(&server).await, before);
    // As programs write a text in a query.
    let path = format!("{preview}?message=Why?+Tried+%3Fdry_run%3Dtrue+%26+more.");
    assert_eq!(
        release
            .client
            .put(&path, json!({"version_set": version_set(1, 1)}))
            .await
            .status,
        204
    );
}

#[both_engines]
async fn a_dry_run_and_a_digest_count_in_the_query_and_in_the_body_alike(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.release(2).await;
    release.release(3).await;
    let (sets, preview) = (release.sets(), release.set("preview"));
    let (promote, rollback) = (
        format!("{sets}/release/promote"),
        format!("{sets}/release/rollback"),
    );
    let source = json!({"source": "preview"});
    let with = |base: &Value, name: &str, value: Value| {
        let mut body = base.clone();
        body[name] = value;
        body
    };
    let pins = json!({"version_set": version_set(1, 1)});
    let many =
        json!({"promotions": [{"service_id": release.service, "source": "edge", "target": "preview"}]});
    let post = Method::POST;
    let before = state(&server).await;
    for (method, path, body, expected) in [
        (
            post.clone(),
            format!("{promote}?dry_run=true"),
            source.clone(),
            "plan",
        ),
        (
            post.clone(),
            promote.clone(),
            with(&source, "dryRun", json!(true)),
            "body.dryRun: misplaced",
        ),
        (
            post.clone(),
            format!("{promote}?plan_digest=0000"),
            source.clone(),
            "409",
        ),
        (
            post.clone(),
            format!("{promote}?dry_run=true"),
            with(&source, "dry_run", json!(false)),
            "query.dry_run: contradiction",
        ),
        (
            post.clone(),
            format!("{promote}?dry_run=true"),
            with(&source, "dry_run", json!(true)),
            "plan",
        ),
        (
            post.clone(),
            format!("{rollback}?dry_run=true"),
            Value::Null,
            "plan",
        ),
        (
            post.clone(),
            format!("{rollback}?plan_digest=0000"),
            json!({}),
            "409",
        ),
        (
            post.clone(),
            format!("{rollback}?dry-run=true"),
            json!({}),
            "query.dry-run: misplaced",
        ),
        (
            post.clone(),
            "promotion?dry_run=true".to_owned(),
            many.clone(),
            "plan",
        ),
        (
            post.clone(),
            "promotion?plan_digest=0000".to_owned(),
            many.clone(),
            "409",
        ),
        (
            post,
            "promotion?freeze=true".to_owned(),
            many,
            "query.freeze: misplaced",
        ),
        (
            Method::PUT,
            preview.clone(),
            with(&pins, "dry_run", json!(true)),
            "plan",
        ),
        (
            Method::PUT,
            preview.clone(),
            with(&pins, "plan_digest", json!("0000")),
            "409",
        ),
        (
            Method::PUT,
            preview.clone(),
            with(&pins, "freeze", json!(true)),
            "body.freeze: misplaced",
        ),
        (
            Method::PUT,
            format!("{preview}?dryRun=true"),
            pins.clone(),
            "query.dryRun: misplaced",
        ),
        (
            Method::PUT,
            format!("{preview}?dry_run=true&dry_run=false"),
            pins.clone(),
            "query.dry_run: duplicate",
        ),
        (
            Method::PUT,
            format!("{preview}?dry_run=false"),
            with(&pins, "dry_run", json!(true)),
            "body.dry_run: contradiction",
        ),
        (Method::DELETE, preview.clone(), json!({"dry_run": true}), "plan"),
        (
            Method::DELETE,
            preview.clone(),
            json!({"plan_digest": "0000"}),
            "409",
        ),
        (
            Method::DELETE,
            preview.clone(),
            json!({"dryRun": true}),
            "body.dryRun: misplaced",
        ),
        (
            Method::DELETE,
            format!("{sets}/release/hold?dry_run=true"),
            Value::Null,
            "query.dry_run: misplaced",
        ),
        (
            Method::DELETE,
            format!("{sets}/release/hold"),
            json!({"dry_run": true}),
            "body.dry_run: misplaced",
        ),
    ] {
        let answer = release.send(method.clone(), &path, &[], body.clone()).await;
        let told = (answer.status.as_u16(), answer.body.get("applied"));
        let context = format!("{method} {path} {body}: {told:?} {}", answer.body);
        match expected {
            "plan" => assert!(answer.status == 200 && told.1 != Some(&json!(true)), "{context}"),
            "409" => assert_eq!(told.0, 409, "{context}"),
            fault => assert_eq!(answer.faults(), [fault], "{context}"),
        }
    }
    assert_eq!(state(&server).await, before);
}
