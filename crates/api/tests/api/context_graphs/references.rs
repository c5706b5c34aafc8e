//! Graphs that refer to other graphs.

use forge_domain::asset::AssetId;
use forge_domain::{Clock as _, VersionNumber};
use forge_testkit::both_engines;
use serde_json::{Value, json};

use super::{GRAPHS, UNKNOWN, add_version, new_graph, referring, versions, with};
use crate::support::graphs::graph;

/// A graph that enters the state `start` of a version of another one.
fn entering(id: &str, version: i64) -> Value {
    referring(id, version, json!(["other.start", "end"]))
}

#[both_engines]
async fn a_reference_to_a_living_version_is_accepted(server: TestServer) {
    let admin = server.admin();
    let (id, other) = (new_graph(admin, "g").await, new_graph(admin, "other").await);
    assert_eq!(add_version(admin, &other, "", graph(&[])).await.status, 201);
    let created = add_version(admin, &id, "", entering(&other, 1)).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let earlier = add_version(admin, &id, "", entering(&id, 1)).await;
    assert_eq!(
        earlier.status, 201,
        "a graph may enter an earlier version of itself: {}",
        earlier.body
    );
    assert_eq!(admin.delete(&format!("{GRAPHS}/{other}/")).await.status, 200);
    let found = versions(admin, &id).await;
    assert_eq!(
        found[0]["references"],
        json!({"other": [other, 1]}),
        "what exists goes on"
    );
    assert_eq!(
        found[0]["states"][2]["exit_conditions"][0]["next_state"],
        json!(["other.start", "end"])
    );
}

#[both_engines]
async fn a_graph_comes_to_so_much_with_all_that_it_refers_to(server: TestServer) {
    let admin = server.admin();
    let id = new_graph(admin, "long chain").await;
    assert_eq!(add_version(admin, &id, "", graph(&[])).await.status, 201);
    for version in 1..=50 {
        let created = add_version(admin, &id, "", entering(&id, version)).await;
        assert_eq!(created.status, 201, "{version}: {}", created.body);
    }
    for query in ["", "?dry_run=true"] {
        let refused = add_version(admin, &id, query, entering(&id, 51)).await;
        assert_eq!(refused.status, 400, "{}", refused.body);
        let told = refused.body["detail"].as_str().unwrap();
        assert!(
            told.starts_with(&format!(
                "references.other: with version 51 of context graph {id} and all"
            )),
            "{told}"
        );
    }
    assert_eq!(add_version(admin, &id, "", entering(&id, 50)).await.status, 201);

    let id = new_graph(admin, "large chain").await;
    // Larger than a request of the tests may be.
    let large = |document: Value| with(document, "/description", json!("x".repeat(4_194_304))).to_string();
    let caller = server.caller(Vec::new());
    let mut tx = server
        .app
        .store
        .write(&caller.organization, server.clock.now())
        .await
        .unwrap()
        .unwrap();
    for (version, document) in [(1, large(graph(&[]))), (2, large(entering(&id, 1)))] {
        let version = VersionNumber::try_from(version).unwrap();
        tx.insert_version(
            AssetId::ContextGraph(id.parse().unwrap()),
            version,
            document,
            &caller.user,
        )
        .await
        .unwrap();
    }
    tx.commit().await.unwrap();
    let created = add_version(admin, &id, "", entering(&id, 1)).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let refused = add_version(admin, &id, "", entering(&id, 2)).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
}

#[both_engines]
async fn a_reference_to_anything_else_is_refused(server: TestServer) {
    let admin = server.admin();
    let id = new_graph(admin, "g").await;
    let other = new_graph(admin, "other").await;
    let deprecated = new_graph(admin, "deprecated").await;
    let foreign = new_graph(server.stranger(), "foreign").await;
    for (client, id) in [
        (admin, &other),
        (admin, &deprecated),
        (server.stranger(), &foreign),
    ] {
        assert_eq!(add_version(client, id, "", graph(&[])).await.status, 201);
    }
    assert_eq!(admin.delete(&format!("{GRAPHS}/{deprecated}/")).await.status, 200);
    let unused = with(graph(&[]), "/references", json!({"other": [UNKNOWN, 1]}));
    for (document, text) in [
        (
            entering(UNKNOWN, 1),
            format!("references.other: there is no context graph {UNKNOWN}"),
        ),
        (
            unused,
            format!("references.other: there is no context graph {UNKNOWN}"),
        ),
        (
            entering(&foreign, 1),
            format!("references.other: there is no context graph {foreign}"),
        ),
        (
            entering(&deprecated, 1),
            format!("references.other: context graph {deprecated} is deprecated"),
        ),
        (
            entering(&other, 2),
            format!("references.other: context graph {other} has no version 2"),
        ),
        (
            entering(&other, 0),
            format!("references.other: context graph {other} has no version 0"),
        ),
        (
            entering(&other, -1),
            format!("references.other: context graph {other} has no version -1"),
        ),
        (
            entering(&id, 1),
            format!("references.other: context graph {id} has no version 1"),
        ),
        (
            referring(&other, 1, json!(["other.nowhere", "end"])),
            "states[2]: the graph that `other` refers to has no state `nowhere`".to_owned(),
        ),
    ] {
        for query in ["", "?dry_run=true"] {
            let refused = add_version(admin, &id, query, document.clone()).await;
            assert_eq!(refused.status, 400, "{text}");
            assert_eq!(refused.detail(), text);
        }
    }
    assert_eq!(versions(admin, &id).await, Vec::<Value>::new());
}
