//! Holds, and lifting them.

use forge_testkit::{both_engines, version_set};
use serde_json::{Value, json};

use crate::support::organization::change_number;
use crate::support::releases::{Release, assert_applied, assert_blocked};

#[both_engines]
async fn nothing_moves_a_held_set_until_somebody_lifts_the_hold(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.release(1).await;
    release.release(2).await;
    assert_eq!(release.roll_back().await.status, 200);
    let before = change_number(&server).await;
    assert_blocked(&release.promote("preview", "release").await, &["held"]);
    let answer = release
        .client
        .put(&release.set("release"), json!({"version_set": version_set(2, 1)}))
        .await;
    assert_blocked(&answer, &["held"]);
    assert!(answer.detail().contains("lift_hold"), "{}", answer.detail());
    let undone = release
        .post("release", "rollback", json!({"to_revision": 3}))
        .await;
    assert_blocked(&undone, &["undone_revision"]);
    assert_eq!(
        change_number(&server).await,
        before,
        "what was refused changed nothing"
    );

    // Held sets cannot be deleted and made again to get rid of the hold.
    release.put("test", version_set(1, 1)).await;
    release.put("test", version_set(2, 1)).await;
    assert_eq!(release.post("test", "rollback", json!({})).await.status, 200);
    assert_blocked(&release.client.delete(&release.set("test")).await, &["held"]);
    let lifted = release
        .client
        .delete(&format!("{}?lift_hold=true", release.set("test")))
        .await;
    assert_eq!(lifted.status, 204);
    release.put("test", version_set(1, 1)).await;
    assert_eq!(
        release.get("test").await["hold"],
        Value::Null,
        "a set that comes back is not held"
    );

    let hold = format!("{}/release/hold", release.sets());
    let lifted = release.client.delete(&hold).await;
    assert_eq!(lifted.status, 204);
    assert!(lifted.sequence().is_some());
    assert!(
        release.client.delete(&hold).await.sequence().is_none(),
        "nothing is left to lift"
    );
    assert_eq!(
        release.history("release").await.len(),
        4,
        "lifting is no revision"
    );
    assert_eq!(release.promote("preview", "release").await.status, 200);
    assert_eq!(
        release
            .client
            .delete(&format!("{}/nothing/hold", release.sets()))
            .await
            .status,
        404
    );
}

#[both_engines]
async fn a_hold_is_lifted_in_the_same_call_and_history_goes_on(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.release(1).await;
    release.release(2).await;
    assert_eq!(release.roll_back().await.status, 200);
    let answer = release
        .post(
            "release",
            "promote",
            json!({"source": "preview", "lift_hold": true}),
        )
        .await;
    assert_applied(&answer, 5);
    let change = json!({"field": "hold", "from": true, "to": false});
    assert!(
        answer.body["plan"]["changes"]
            .as_array()
            .unwrap()
            .contains(&change)
    );
    assert_eq!(release.get("release").await["hold"], Value::Null);
    // The hold alone may be what changes.
    assert_eq!(release.roll_back().await.status, 200);
    release.put("preview", version_set(1, 1)).await;
    let answer = release
        .post(
            "release",
            "promote",
            json!({"source": "preview", "lift_hold": true}),
        )
        .await;
    assert_applied(&answer, 6);
    assert_eq!(
        release.history("release").await.len(),
        6,
        "the pins were these already"
    );
    assert_eq!(release.get("release").await["hold"], Value::Null);
}
