//! A clock that was ahead for a while and is right again: what happened then keeps its time in history, and everything
//! else goes by the clock.

use axum::http::Method;
use forge_testkit::{TestServer, both_engines, version_set};
use serde_json::json;

use crate::support::grants::any;
use crate::support::models::with_model;
use crate::support::organization::a_day_later;
use crate::support::releases::{Release, assert_applied};

/// Creates a change a day ahead of time, and sets the clock right again.
async fn change_ahead_of_time(server: &TestServer, release: &Release) {
    let ahead = a_day_later(server).await;
    let path = release.set("elsewhere");
    let pins = json!({"version_set": version_set(1, 1)});
    assert_eq!(ahead.put(&path, pins).await.status, 204);
    server.clock.advance_seconds(-25 * 3600);
}

#[both_engines]
async fn what_a_dry_run_showed_is_carried_out_although_history_is_ahead(server: TestServer) {
    let release = Release::new(&server, 2).await;
    let pins = with_model(version_set(2, 1), "engage-user", "retiring_model", json!({}));
    release.put("preview", pins.clone()).await;
    release.put("release", pins).await;
    release.put("release", version_set(1, 1)).await;
    change_ahead_of_time(&server, &release).await;
    let shown = release
        .post(
            "release",
            "promote",
            json!({"source": "preview", "dry_run": true}),
        )
        .await;
    assert_eq!(shown.body["plan"]["blockers"], json!([]));
    let digest = &shown.body["plan"]["digest"];
    let promoted = release
        .post(
            "release",
            "promote",
            json!({"source": "preview", "plan_digest": digest}),
        )
        .await;
    assert_applied(&promoted, 4);
    release.put("release", version_set(1, 1)).await;
    assert_applied(
        &release
            .post("release", "rollback", json!({"to_revision": 4}))
            .await,
        6,
    );
    let several =
        json!({"promotions": [{"service_id": release.service, "source": "preview", "target": "test"}]});
    assert_eq!(release.client.post("promotion", several).await.status, 200);
    // History goes on in order.
    let history = release.history("release").await;
    let times: Vec<&str> = history
        .iter()
        .map(|revision| revision["created_at"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted_by(|later, earlier| later >= earlier), "{times:?}");
    let put = json!({"version_set": with_model(version_set(1, 1), "decide", "retiring_model", json!({}))});
    assert_eq!(
        release
            .send(Method::PUT, &release.set("test"), &[], put)
            .await
            .status,
        204
    );
}

#[both_engines]
async fn rights_that_end_end_by_the_clock(server: TestServer) {
    let release = Release::new(&server, 1).await;
    change_ahead_of_time(&server, &release).await;
    let admin = server.admin();
    let given = json!({"user_id": admin.user_id, "permission_grant": any("Service:GetService"), "duration": "PT30M",
        "tags": {}, "justification": "the clock was ahead for a while"});
    let created = admin.post("role/temporary_permission_grant/", given).await;
    assert_eq!(created.status, 201, "{}", created.body);
    assert_eq!(created.body["expires_at"], "2026-11-23T12:30:00.000Z");
}
