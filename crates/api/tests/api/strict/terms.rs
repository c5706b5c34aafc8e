//! The terms of a change, wherever they are written.

use axum::http::Method;
use forge_testkit::{both_engines, version_set};
use serde_json::{Value, json};

use super::with_header;
use crate::support::releases::{Release, assert_applied};

#[both_engines]
async fn terms_in_either_place_do_what_they_say(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.release(2).await;
    assert_eq!(release.roll_back().await.status, 200);
    let sets = release.sets();
    let promote = format!("{sets}/release/promote?lift_hold=true&freeze=false&message={{why}}");
    release.put("preview", version_set(None, 1)).await;
    let plan = release
        .client
        .post(&format!("{promote}&dry_run=1"), json!({"source": "preview"}))
        .await;
    let digest = plan.body["plan"]["digest"].as_str().unwrap().to_owned();
    let path = format!("{promote}&plan_digest={digest}");
    assert_applied(&release.client.post(&path, json!({"source": "preview"})).await, 4);
    let newest = &release.history("release").await[0];
    assert_eq!(newest["message"], "{why}");
    assert_eq!(
        newest["pins"]["agent_version_number"],
        Value::Null,
        "it was not frozen"
    );
    let body = json!({"version_set": version_set(3, 1), "message": "in the body"});
    assert_eq!(
        release.client.put(&release.set("release"), body).await.status,
        204
    );
    assert_eq!(release.history("release").await[0]["message"], "in the body");
    let gone = release
        .send(
            Method::DELETE,
            &release.set("preview"),
            &[],
            json!({"message": "gone"}),
        )
        .await;
    assert_eq!(gone.status, 204);
    assert_eq!(release.history("preview").await[0]["message"], "gone");
}

#[both_engines]
async fn what_a_proxy_makes_of_a_tag_names_the_same_revision(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.release(2).await;
    release.put("preview", version_set(3, 1)).await;
    let sets = release.sets();
    for tag in [r#"W/"R""#, r#""R-gzip""#, r#"W/"R-gzip""#] {
        for (method, path) in [
            (Method::PUT, release.set("release")),
            (Method::POST, format!("{sets}/release/promote")),
            (Method::POST, format!("{sets}/release/rollback")),
        ] {
            let revision = release.get("release").await["revision"].as_i64().unwrap();
            let other = tag.replace('R', &(revision + 1).to_string());
            let answer = with_header(&release, method.clone(), &path, ("If-Match", &other)).await;
            assert_eq!(answer.status, 412, "{method} {path} {other}: {}", answer.body);
            let tag = tag.replace('R', &revision.to_string());
            let answer = with_header(&release, method.clone(), &path, ("If-Match", &tag)).await;
            assert!(
                answer.status.is_success(),
                "{method} {path} {tag}: {}",
                answer.body
            );
            release.client.delete(&format!("{sets}/release/hold")).await;
        }
    }
    let revision = release.get("preview").await["revision"].as_i64().unwrap();
    let both = [("If-Match", "\"99\""), ("If-Match", &format!("W/\"{revision}\""))];
    let preview = release.set("preview");
    let deleted = release.send(Method::DELETE, &preview, &both, Value::Null).await;
    assert_eq!(
        deleted.status, 204,
        "several lines are one list: {}",
        deleted.body
    );
    let path = format!("{sets}/release/resolve");
    let tag = release.client.get(&path).await.headers["etag"]
        .to_str()
        .unwrap()
        .to_owned();
    let hash = tag.trim_matches('"');
    for held in [format!("\"{hash}-gzip\""), format!("W/\"{hash}\"")] {
        let answer = with_header(&release, Method::GET, &path, ("If-None-Match", &held)).await;
        assert_eq!(answer.status, 304, "{held}");
    }
}

#[both_engines]
async fn a_yank_of_what_a_plan_has_nothing_to_do_with_does_not_move_it(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.release(1).await;
    release.put("preview", version_set(2, 1)).await;
    let found = release
        .client
        .get(&format!("service/?id={}", release.service))
        .await;
    let agent = found.body["services"][0]["agent_id"].as_str().unwrap().to_owned();
    let plan = release
        .post(
            "release",
            "promote",
            json!({"source": "preview", "dry_run": true}),
        )
        .await;
    let digest = &plan.body["plan"]["digest"];
    let yank = async |version: i64| {
        let path = format!("organization/agent/{agent}/version/{version}/yank");
        assert_eq!(
            release.client.post(&path, json!({"reason": "bad"})).await.status,
            200
        );
    };
    let body = json!({"source": "preview", "plan_digest": digest});
    yank(1).await;
    let moved = release.post("release", "promote", body.clone()).await;
    assert_eq!(
        moved.status, 409,
        "what the set means now was yanked: {}",
        moved.body
    );
    let back = format!("organization/agent/{agent}/version/1/yank");
    assert_eq!(release.client.delete(&back).await.status, 200);
    yank(3).await;
    assert_applied(&release.post("release", "promote", body).await, 3);
}
