//! Promoting and rolling back in turn.

use forge_testkit::{both_engines, version_set};
use serde_json::{Value, json};

use crate::support::releases::{Release, assert_applied, assert_blocked};

#[both_engines]
async fn a_candidate_goes_to_release_and_back(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.put("preview", version_set(2, 3)).await;
    let body = json!({"source": "preview", "message": "tested"});
    let promoted = release.post("release", "promote", body).await;
    assert_applied(&promoted, 2);
    let plan = &promoted.body["plan"];
    assert_eq!(
        (
            &plan["action"],
            &plan["source"]["name"],
            &plan["source"]["revision"]
        ),
        (&json!("promote"), &json!("preview"), &json!(1))
    );
    assert_eq!(plan["target"], json!({"name": "release", "revision": 1}));
    assert_eq!(
        plan["changes"][0],
        json!({"field": "agent_version_number", "from": null, "to": 2})
    );
    assert_eq!(plan["blockers"], json!([]));
    let set = release.get("release").await;
    assert_eq!(
        (&set["source"], &set["message"]),
        (&json!({"name": "preview", "revision": 1}), &json!("tested"))
    );
    assert_eq!(set["hold"], Value::Null);

    let body = json!({"message": "it answers in Latin"});
    assert_applied(&release.post("release", "rollback", body).await, 3);
    let set = release.get("release").await;
    assert_eq!(
        set["pins"]["agent_version_number"],
        json!(3),
        "what it floated to is written as a number"
    );
    assert_eq!(set["hold"]["reason"], json!("it answers in Latin"));
    assert_eq!(set["hold"]["by"]["user_id"], json!(server.admin().user_id));

    let history = release.history("release").await;
    let actions: Vec<&str> = history
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["rollback", "promote", "create"]);
    assert_eq!(history[0]["restored_revision"], json!(1));
    assert_eq!(history[0]["previous"]["pins"]["agent_version_number"], json!(2));
    assert_eq!(history[1]["source"], json!({"name": "preview", "revision": 1}));
    assert_eq!(history[1]["actor"], server.admin_actor());
    assert_eq!(history[2]["previous"], Value::Null);
}

#[both_engines]
async fn a_second_rollback_goes_behind_the_first_and_never_forward(server: TestServer) {
    let release = Release::new(&server, 5).await;
    release.put("release", version_set(1, 1)).await;
    release.release(2).await;
    release.release(3).await;
    for (expected, restored) in [(2, 3), (1, 2)] {
        let answer = release.roll_back().await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(release.agent("release").await, Some(expected));
        assert_eq!(
            release.history("release").await[0]["restored_revision"],
            json!(restored)
        );
    }
    // The service was created floating: that is as far back as it goes.
    assert_eq!(release.roll_back().await.status, 200);
    assert_blocked(&release.roll_back().await, &["nothing_to_roll_back"]);
    // A new promotion goes back to where the rollbacks led.
    release.release(4).await;
    assert_eq!(release.roll_back().await.status, 200);
    assert_eq!(release.agent("release").await, Some(5));
    assert_blocked(&release.roll_back().await, &["nothing_to_roll_back"]);
}

#[both_engines]
async fn rollbacks_stop_at_deletions_and_rebinds(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.put("test", version_set(1, 1)).await;
    release.put("test", version_set(2, 1)).await;
    assert_eq!(release.client.delete(&release.set("test")).await.status, 204);
    release.put("test", version_set(3, 1)).await;
    assert_blocked(
        &release.post("test", "rollback", json!({})).await,
        &["nothing_to_roll_back"],
    );
    let across = release
        .post("test", "rollback", json!({"to_revision": 2, "lift_hold": true}))
        .await;
    assert_blocked(&across, &["across_deletion"]);
    let history = release.history("test").await;
    assert_eq!(
        history[0]["revision"],
        json!(4),
        "a set that comes back goes on counting"
    );
    assert_eq!(
        (&history[1]["action"], &history[1]["pins"]),
        (&json!("delete"), &Value::Null)
    );

    release.put("release", version_set(1, 1)).await;
    let agent = server.agent(3).await;
    let rebound = release
        .client
        .post(
            &format!("service/{}/", release.service),
            json!({"agent_id": agent}),
        )
        .await;
    assert_eq!(rebound.status, 200, "{}", rebound.body);
    assert_blocked(&release.roll_back().await, &["nothing_to_roll_back"]);
    let across = release
        .post("release", "rollback", json!({"to_revision": 2}))
        .await;
    assert_blocked(&across, &["across_rebind"]);
    let old = json!({"source": "release", "source_revision": 2});
    assert_blocked(&release.post("preview", "promote", old).await, &["another_asset"]);
    release.put("release", version_set(2, 1)).await;
    assert_eq!(release.roll_back().await.status, 200);
    assert_eq!(release.agent("release").await, Some(1));
}
