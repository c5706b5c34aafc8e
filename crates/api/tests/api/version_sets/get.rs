//! What a set and the list of sets tell.

use forge_domain::access::DefaultRole;
use forge_testkit::{both_engines, service_body, version_set};
use serde_json::json;

use super::{get, names, path, read, upsert};
use crate::support::models::{MODEL, with_model};

#[both_engines]
async fn a_set_tells_what_it_pins_and_what_that_means_now(server: TestServer) {
    let service = server.service(3).await;
    let author = server.user(DefaultRole::Administrator).await;
    server.clock.advance_seconds(60);
    let pins = with_model(
        version_set(1, None),
        "engage-user",
        MODEL,
        json!({"temperature": 0.5}),
    );
    author
        .put(&path(&service, "test"), json!({"version_set": pins}))
        .await;
    server.clock.advance_seconds(60);
    let answer = get(&server, &service, "test").await;
    assert_eq!(answer.headers["etag"], "\"1\"");
    let expected = json!({
        "name": "test",
        "revision": 1,
        "pins": pins,
        "resolved": {"agent_version_number": 1, "service_hierarchical_state_machine_version_number": 3},
        "is_floating": true,
        "behind": {"agent": 2, "service_hierarchical_state_machine": 0},
        "hold": null,
        "source": null,
        "message": null,
        "updated_at": "2026-11-23T12:01:00.000Z",
        "updated_by": {"org_id": author.organization, "user_id": author.user_id},
        "unit_tests": [],
        "running_conversations": 0,
    });
    assert_eq!(answer.body, expected);
    let all = server
        .admin()
        .get(&format!("service/{service}/version_sets/"))
        .await;
    let sets = all.body["version_sets"].as_array().unwrap();
    assert_eq!(sets.len(), 3);
    assert_eq!(sets[2], expected);
    assert_eq!(sets[0], read(&server, &service, "edge").await);
    assert_eq!(sets[1], read(&server, &service, "release").await);
}

#[both_engines]
async fn sets_are_told_by_name_and_each_with_its_distance_to_the_latest(server: TestServer) {
    let (agent, graph) = (server.agent(5).await, server.context_graph(4).await);
    let service = server
        .admin()
        .post("service/", service_body("Care", &agent, &graph))
        .await
        .id();
    for (set, pins) in [
        ("test", version_set(5, 4)),
        ("Next", version_set(2, 1)),
        ("10", version_set(None, 3)),
        ("9", version_set(1, None)),
    ] {
        upsert(&server, &service, set, pins).await;
    }
    assert_eq!(
        names(&server, &service).await,
        ["10", "9", "Next", "edge", "release", "test"]
    );
    for (set, behind, is_floating) in [
        ("test", (0, 0), false),
        ("Next", (3, 3), false),
        ("10", (0, 1), true),
        ("9", (4, 0), true),
        ("edge", (0, 0), true),
    ] {
        let told = read(&server, &service, set).await;
        let (agent, graph) = behind;
        assert_eq!(
            told["behind"],
            json!({"agent": agent, "service_hierarchical_state_machine": graph}),
            "{set}"
        );
        assert_eq!(told["is_floating"], json!(is_floating), "{set}");
    }
}

#[both_engines]
async fn the_etag_is_the_revision(server: TestServer) {
    let service = server.service(3).await;
    for revision in 1..=3 {
        upsert(&server, &service, "test", version_set(revision, 1)).await;
        assert_eq!(
            get(&server, &service, "test").await.headers["etag"],
            format!("\"{revision}\"")
        );
    }
}
