//! What is told afterwards of changes.

use axum::http::Method;
use forge_testkit::{both_engines, version_set};
use serde_json::json;

use crate::support::organization::organization;
use crate::support::releases::{Release, assert_applied};

#[both_engines]
async fn history_is_paged_and_outlives_the_set(server: TestServer) {
    let release = Release::new(&server, 3).await;
    for agent in [1, 2, 3, 1, 2] {
        release.put("test", version_set(agent, 1)).await;
    }
    assert_eq!(release.client.delete(&release.set("test")).await.status, 204);
    let mut token = 0;
    let mut seen = Vec::new();
    loop {
        let path = format!(
            "{}/test/history?limit=2&continuation_token={token}",
            release.sets()
        );
        let page = release.client.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.body);
        for entry in page.body["revisions"].as_array().unwrap() {
            seen.push(entry["revision"].as_i64().unwrap());
            let previous = entry["previous"]["revision"].as_i64();
            assert_eq!(previous.unwrap_or(0), seen[seen.len() - 1] - 1);
        }
        match page.body["continuation_token"].as_i64() {
            Some(next) => token = next,
            None => break,
        }
    }
    assert_eq!(seen, [6, 5, 4, 3, 2, 1]);
    for (query, status) in [
        ("limit=0", 422),
        ("limit=101", 422),
        ("continuation_token=-1", 422),
    ] {
        let path = format!("{}/test/history?{query}", release.sets());
        assert_eq!(release.client.get(&path).await.status.as_u16(), status, "{query}");
    }
    assert_eq!(
        release
            .client
            .get(&format!("{}/never/history", release.sets()))
            .await
            .status,
        404
    );
}

#[both_engines]
async fn who_declares_to_be_an_agent_is_recorded_as_one(server: TestServer) {
    let release = Release::new(&server, 2).await;
    release.put("preview", version_set(2, 1)).await;
    let path = format!("{}/release/promote", release.sets());
    let headers = [("Forge-Actor-Kind", "agent")];
    let answer = release
        .send(Method::POST, &path, &headers, json!({"source": "preview"}))
        .await;
    assert_applied(&answer, 2);
    assert_eq!(
        release.history("release").await[0]["actor"]["kind"],
        json!("agent")
    );
}

#[both_engines]
async fn one_event_tells_each_change(server: TestServer) {
    let release = Release::new(&server, 2).await;
    release.put("preview", version_set(2, 1)).await;
    release.promote("preview", "release").await;
    release.roll_back().await;
    release
        .client
        .delete(&format!("{}/release/hold", release.sets()))
        .await;
    let mut tx = server.app.store.read().await.unwrap();
    let events = tx
        .list_audit_events(&organization(&server), 0, 1000)
        .await
        .unwrap()
        .into_rows();
    let last: Vec<(&str, bool)> = events[events.len() - 3..]
        .iter()
        .map(|(event, _)| (event.action.as_str(), event.after["is_held"].as_bool().unwrap()))
        .collect();
    assert_eq!(
        last,
        [("promote", false), ("rollback", true), ("lift_hold", false)]
    );
    let (promoted, _) = &events[events.len() - 3];
    assert_eq!(
        promoted.after["source"],
        json!({"name": "preview", "revision": 1})
    );
}
