//! Versions of items.

use forge_testkit::both_engines;
use serde_json::{Value, json};

use crate::support::assertions::{assert_invalid_at, assert_refused};
use crate::support::ids::UNKNOWN_ID;
use crate::support::items::{
    BEHAVIOR_SET, Kind, PERSONA, SCENARIO, behavior_version, persona_version, scenario_version,
};
use crate::support::pages::pages;

/// A kind whose versions the API has operations for.
struct Versioned {
    kind: Kind,
    /// What the answer of a creation calls the number.
    number: &'static str,
    /// What the answer of a list calls the versions.
    list: &'static str,
    /// A body.
    body: fn() -> Value,
}

const VERSIONED: [Versioned; 3] = [
    Versioned {
        kind: BEHAVIOR_SET,
        number: "new_version_number",
        list: "dynamic_behavior_set_versions",
        body: behavior_version,
    },
    Versioned {
        kind: PERSONA,
        number: "version",
        list: "simulation_persona_versions",
        body: persona_version,
    },
    Versioned {
        kind: SCENARIO,
        number: "version",
        list: "simulation_scenario_versions",
        body: scenario_version,
    },
];

/// Returns the numbers in a list of versions.
fn numbers(list: &Value) -> Vec<i64> {
    let versions = list.as_array().unwrap().iter();
    versions
        .map(|version| version["version"].as_i64().unwrap())
        .collect()
}

#[both_engines]
async fn versions_count_up_and_a_caller_may_say_which_is_next(server: TestServer) {
    for Versioned {
        kind, number, body, ..
    } in VERSIONED
    {
        let path = format!("{}{}/version/", kind.path, kind.named(&server, "Calm").await);
        let second = server.admin().post(&path, body()).await;
        assert_eq!(
            (second.status.as_u16(), &second.body[number]),
            (201, &json!(2)),
            "{}",
            second.body
        );
        assert!(second.sequence().is_some());
        let third = server.admin().post(&format!("{path}?version=3"), body()).await;
        assert_eq!((third.status.as_u16(), &third.body[number]), (201, &json!(3)));
        for stale in [2, 3, 5] {
            let refused = server
                .admin()
                .post(&format!("{path}?version={stale}"), body())
                .await;
            assert_refused(&refused, &["the next version is 4", &format!("not {stale}")]);
        }
        for invalid in ["1", "0", "x"] {
            let answer = server
                .admin()
                .post(&format!("{path}?version={invalid}"), body())
                .await;
            assert_invalid_at(&answer, "query.version");
        }
    }
}

#[both_engines]
async fn versions_are_listed_by_range_and_page(server: TestServer) {
    for Versioned { kind, list, body, .. } in VERSIONED {
        let id = kind.named(&server, "Calm").await;
        let path = format!("{}{id}/version/", kind.path);
        for _ in 0..4 {
            server.admin().post(&path, body()).await;
        }
        for (query, expected) in [
            ("", vec![1, 2, 3, 4, 5]),
            ("?version=3", vec![3]),
            ("?version=latest", vec![5]),
            ("?version=2-3", vec![2, 3]),
            ("?version=4-latest&sort_by=-version", vec![5, 4]),
            ("?version=9", vec![]),
        ] {
            let answer = server.admin().get(&format!("{path}{query}")).await;
            assert_eq!(numbers(&answer.body[list]), expected, "{query}");
        }
        let paged = pages(
            server.admin(),
            &format!("{path}?limit=2&sort_by=-version"),
            list,
            "_id",
        )
        .await;
        assert_eq!(paged.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
        for (query, place) in [
            ("limit=0", "query.limit"),
            ("limit=11", "query.limit"),
            ("version=new", "query.version"),
            ("sort_by=-name", "query.sort_by"),
            ("continuation_token=-1", "query.continuation_token"),
        ] {
            assert_invalid_at(&server.admin().get(&format!("{path}?{query}")).await, place);
        }
        let first = server.admin().get(&format!("{path}?version=1")).await.body[list][0].clone();
        assert_eq!(first[format!("{}_id", list.trim_end_matches("_versions"))], id);
        for (field, value) in body().as_object().unwrap() {
            assert_eq!(&first[field], value, "{field}");
        }
    }
}

#[both_engines]
async fn a_new_version_is_a_change_of_the_item(server: TestServer) {
    for Versioned { kind, body, .. } in VERSIONED {
        let id = kind.named(&server, "Calm").await;
        server.clock.advance_seconds(60);
        server
            .admin()
            .post(&format!("{}{id}/version/", kind.path), body())
            .await;
        let shown = kind.shown(&server, &id).await;
        assert!(shown["updated_at"].as_str() > shown["created_at"].as_str());
        let log = server
            .admin()
            .get(&format!("audit_event/?object_id={id}&action=create_version"))
            .await;
        assert_eq!(log.body["audit_events"][0]["after"], json!({"latest_version": 2}));
    }
}

#[both_engines]
async fn what_is_not_there_or_deleted_gets_no_versions(server: TestServer) {
    for Versioned { kind, list, body, .. } in VERSIONED {
        let id = kind.named(&server, "Calm").await;
        server.admin().delete(&format!("{}{id}/", kind.path)).await;
        for id in [UNKNOWN_ID, &id] {
            let answer = server
                .admin()
                .post(&format!("{}{id}/version/", kind.path), body())
                .await;
            assert_eq!((answer.status.as_u16(), answer.sequence()), (404, None));
        }
        let missing = server
            .admin()
            .get(&format!("{}{UNKNOWN_ID}/version/", kind.path))
            .await;
        assert_eq!(missing.status, 404);
        // Simulations may still refer to a deleted persona or scenario; a behavior set is gone.
        let readable = server.admin().get(&format!("{}{id}/version/", kind.path)).await;
        let expected = if list == "dynamic_behavior_set_versions" {
            404
        } else {
            200
        };
        assert_eq!(readable.status, expected, "{list}");
    }
}

#[both_engines]
async fn eight_writers_make_versions_without_gaps(server: TestServer) {
    for Versioned {
        kind,
        number,
        list,
        body,
    } in VERSIONED
    {
        let path = format!("{}{}/version/", kind.path, kind.named(&server, "Calm").await);
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..8 {
            let (client, path) = (server.admin().clone(), path.clone());
            writers.spawn(async move {
                let mut made = Vec::new();
                for round in 0..3 {
                    // Every other one says which number it expects; others were faster, perhaps.
                    let query = if writer % 2 == 0 {
                        String::new()
                    } else {
                        format!("?version={}", 2 + round * 8)
                    };
                    let answer = client.post(&format!("{path}{query}"), body()).await;
                    match answer.status.as_u16() {
                        201 => made.push(answer.body[number].as_i64().unwrap()),
                        status => assert_eq!((status, query.is_empty()), (400, false), "{}", answer.body),
                    }
                }
                made
            });
        }
        let mut made = writers.join_all().await.concat();
        made.sort_unstable();
        assert!(made.len() >= 12);
        let expected: Vec<i64> = (2..).take(made.len()).collect();
        assert_eq!(made, expected, "each number once, without gaps");
        let latest = server.admin().get(&format!("{path}?version=latest")).await;
        assert_eq!(numbers(&latest.body[list]), [*made.last().unwrap()]);
    }
}
