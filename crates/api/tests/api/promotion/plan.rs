//! Plans: shown, bound, blocked.

use axum::http::Method;
use forge_testkit::{both_engines, version_set};
use serde_json::{Value, json};

use crate::support::organization::change_number;
use crate::support::releases::{Release, assert_applied, assert_blocked, codes};

#[both_engines]
async fn a_dry_run_shows_the_very_plan_and_changes_nothing(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.put("preview", version_set(2, 3)).await;
    let before = change_number(&server).await;
    let dry = release
        .post(
            "release",
            "promote",
            json!({"source": "preview", "dry_run": true}),
        )
        .await;
    assert_eq!(
        (dry.status.as_u16(), &dry.body["applied"], &dry.body["revision"]),
        (200, &json!(false), &json!(1))
    );
    let path = format!("{}?dry_run=true", release.set("test"));
    let put = release
        .client
        .put(&path, json!({"version_set": version_set(9, 9)}))
        .await;
    assert_eq!(put.status, 200, "a dry run tells the blockers");
    assert_eq!(
        codes(&put.body["blockers"]),
        ["no_such_version", "no_such_version"]
    );
    assert_eq!(put.body["target"]["revision"], Value::Null);
    let delete = release
        .client
        .delete(&format!("{}?dry_run=true", release.set("preview")))
        .await;
    assert_eq!(
        (delete.status.as_u16(), &delete.body["action"]),
        (200, &json!("delete"))
    );
    assert_eq!(change_number(&server).await, before);
    let digest = dry.body["plan"]["digest"].clone();
    let body = json!({"source": "preview", "plan_digest": digest});
    let real = release.post("release", "promote", body).await;
    assert_applied(&real, 2);
    assert_eq!(real.body["plan"], dry.body["plan"]);
}

#[both_engines]
async fn a_plan_is_bound_to_the_name_of_the_service(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.put("preview", version_set(2, 3)).await;
    let dry = |action: &'static str, mut body: Value| {
        body["dry_run"] = json!(true);
        release.post("release", action, body)
    };
    let service = format!("service/{}/", release.service);
    let change = json!({"description": "another"});
    let plans = [
        dry("promote", json!({"source": "preview"})).await.body["plan"]["digest"].clone(),
        release
            .client
            .post(&format!("{service}?dry_run=true"), change.clone())
            .await
            .body["digest"]
            .clone(),
    ];
    let renamed = release.client.post(&service, json!({"name": "Old"})).await;
    assert!(renamed.status.is_success(), "{}", renamed.body);
    let [promotion, update] = plans;
    let promoted = release
        .post(
            "release",
            "promote",
            json!({"source": "preview", "plan_digest": promotion}),
        )
        .await;
    assert_eq!(promoted.status, 409, "{}", promoted.body);
    let path = format!("{service}?plan_digest={}", update.as_str().unwrap());
    let updated = release.client.post(&path, change).await;
    assert_eq!(updated.status, 409, "{}", updated.body);
}

#[both_engines]
async fn a_plan_that_moved_is_not_carried_out(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.put("preview", version_set(2, 3)).await;
    let dry = release
        .post(
            "release",
            "promote",
            json!({"source": "preview", "dry_run": true}),
        )
        .await;
    let digest = dry.body["plan"]["digest"].as_str().unwrap().to_owned();
    release.put("preview", version_set(3, 3)).await;
    let before = change_number(&server).await;
    let body = json!({"source": "preview", "plan_digest": digest});
    let moved = release.post("release", "promote", body.clone()).await;
    assert_eq!(moved.status, 409);
    let fresh = moved.body["plan"]["digest"].as_str().unwrap().to_owned();
    assert_ne!(fresh, digest);
    assert_eq!(change_number(&server).await, before);
    // The digest comes before the blockers, and the revision before the digest.
    release
        .client
        .put(&release.set("release"), json!({"version_set": version_set(1, 1)}))
        .await;
    release.roll_back().await;
    assert_eq!(release.post("release", "promote", body.clone()).await.status, 409);
    let path = format!("{}/release/promote", release.sets());
    let stale = release
        .send(Method::POST, &path, &[("If-Match", "\"1\"")], body)
        .await;
    assert_eq!(stale.status, 412);
    assert_eq!(stale.body["version_set"]["revision"], json!(3));
}

#[both_engines]
async fn every_blocker_is_told_at_once(server: TestServer) {
    let release = Release::new(&server, 2).await;
    let answer = release
        .post("edge", "promote", json!({"source": "nothing"}))
        .await;
    assert_blocked(&answer, &["edge_is_fixed", "unknown_source"]);
    let answer = release.post("a.b", "promote", json!({"source": "release"})).await;
    assert_blocked(&answer, &["bad_name"]);
    for source in [
        json!({"source": "no name"}),
        json!({"source": "release", "source_revision": 7}),
    ] {
        assert_blocked(
            &release.post("test", "promote", source).await,
            &["unknown_source"],
        );
    }
    assert_blocked(
        &release.post("edge", "rollback", json!({})).await,
        &["edge_is_fixed", "nothing_to_roll_back"],
    );
    let answer = release
        .post("release", "rollback", json!({"to_revision": 9}))
        .await;
    assert_blocked(&answer, &["no_such_revision"]);
    assert_eq!(release.post("nothing", "rollback", json!({})).await.status, 404);
    // A deleted set can be promoted by its revision, but not by its name.
    release.put("test", version_set(1, 1)).await;
    assert_eq!(release.client.delete(&release.set("test")).await.status, 204);
    assert_blocked(&release.promote("test", "preview").await, &["unknown_source"]);
    let old = json!({"source": "test", "source_revision": 1});
    assert_applied(&release.post("preview", "promote", old).await, 1);
    assert_eq!(release.post("test", "rollback", json!({})).await.status, 404);
}
