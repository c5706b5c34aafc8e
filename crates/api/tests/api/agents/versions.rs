//! The versions of agents and context graphs.

use forge_domain::asset::{AssetId, AssetKind};
use forge_domain::yank::NewYank;
use forge_domain::{Clock as _, UserRef};
use forge_testkit::both_engines;
use serde_json::{Value, json};

use super::{AGENT, CONTEXT_GRAPH, KINDS, number, pages};

#[both_engines]
async fn versions_are_numbered_from_one_and_may_be_expected(server: TestServer) {
    for kind in KINDS {
        let id = kind.create(server.admin(), "x").await.id();
        let create = async |query: &str| {
            server
                .admin()
                .post(&(kind.one(&id) + query), (kind.version)())
                .await
        };
        for (query, number) in [("", 1), ("?version=2", 2), ("", 3), ("?version=4", 4)] {
            let created = create(query).await;
            assert_eq!(created.status, 201, "{}", created.body);
            assert_eq!(
                created.body,
                json!({"version": number, "created_at": "2026-11-23T12:00:00.000Z"})
            );
        }
        for query in [
            "?version=1",
            "?version=4",
            "?version=6",
            "?version=9223372036854775807",
        ] {
            let refused = create(query).await;
            assert_eq!(refused.status, 409, "{query}");
            assert!(refused.detail().contains("version=5"), "{}", refused.detail());
        }
        for query in [
            "?version=0",
            "?version=-5",
            "?version=five",
            "?version=9223372036854775808",
        ] {
            assert_eq!(create(query).await.status, 422, "{query}");
        }
        assert_eq!(kind.rows(server.admin(), "").await[0]["latest_version"], 4);
    }
}

#[both_engines]
async fn versions_are_chosen_by_number_or_range_and_sorted(server: TestServer) {
    for kind in KINDS {
        let id = kind.with_versions(server.admin(), 4).await;
        for (query, expected) in [
            ("", vec![1, 2, 3, 4]),
            ("version=3", vec![3]),
            ("version=latest", vec![4]),
            ("version=2-3", vec![2, 3]),
            ("version=2-2", vec![2]),
            ("version=2-9", vec![2, 3, 4]),
            ("version=1-latest", vec![1, 2, 3, 4]),
            ("version=latest-latest", vec![4]),
            ("version=5", vec![]),
            ("version=5-latest", vec![]),
            ("sort_by=-version", vec![4, 3, 2, 1]),
            ("sort_by=%2Bversion", vec![1, 2, 3, 4]),
            ("sort_by=+version", vec![1, 2, 3, 4]),
            ("sort_by=-version&sort_by=%2Bversion", vec![4, 3, 2, 1]),
            ("version=2-latest&sort_by=-version&limit=2", vec![4, 3]),
            ("limit=3", vec![1, 2, 3]),
        ] {
            assert_eq!(
                kind.numbers(server.admin(), &id, query).await,
                expected,
                "{query}"
            );
        }
    }
}

#[both_engines]
async fn versions_are_read_page_by_page(server: TestServer) {
    for kind in KINDS {
        let id = kind.with_versions(server.admin(), 12).await;
        assert_eq!(kind.numbers(server.admin(), &id, "").await.len(), 10);
        for (query, expected) in [
            (
                "limit=5",
                vec![vec![1, 2, 3, 4, 5], vec![6, 7, 8, 9, 10], vec![11, 12]],
            ),
            (
                "limit=10&sort_by=-version",
                vec![vec![12, 11, 10, 9, 8, 7, 6, 5, 4, 3], vec![2, 1]],
            ),
            ("limit=2&version=3-6", vec![vec![3, 4], vec![5, 6]]),
            (
                "limit=3&version=9-latest&sort_by=-version",
                vec![vec![12, 11, 10], vec![9]],
            ),
        ] {
            let pages = pages(server.admin(), &kind.versions(&id, query), kind.version_list).await;
            let pages: Vec<Vec<i64>> = pages
                .iter()
                .map(|rows| rows.iter().map(number).collect())
                .collect();
            assert_eq!(pages, expected, "{query}");
        }
    }
}

#[both_engines]
async fn a_list_of_versions_tells_which_are_yanked_and_why(server: TestServer) {
    let admin = server.admin();
    let by = UserRef {
        org_id: admin.organization.parse().unwrap(),
        user_id: admin.user_id.clone(),
    };
    for (kind, asset) in [
        (AGENT, AssetKind::Agent),
        (CONTEXT_GRAPH, AssetKind::ContextGraph),
    ] {
        let id = kind.with_versions(admin, 3).await;
        let other = match asset {
            AssetKind::Agent => server.agent(3).await,
            AssetKind::ContextGraph => server.context_graph(3).await,
        };
        let put = async |version: i64, is_yanked| {
            let now = server.clock.now();
            let mut tx = server.app.store.write(&by.org_id, now).await.unwrap().unwrap();
            let version = version.try_into().unwrap();
            let new = NewYank {
                is_yanked,
                reason: "it swears",
                by: &by,
            };
            tx.put_yank(AssetId::parse(asset, &id).unwrap(), version, new)
                .await
                .unwrap();
            tx.commit().await.unwrap();
        };
        put(1, true).await;
        put(1, false).await;
        put(2, true).await;
        let yanked = json!({"reason": "it swears", "since": "2026-11-23T12:00:00.000Z", "by": by});
        for (query, expected) in [
            ("", vec![Value::Null, yanked.clone(), Value::Null]),
            ("version=2", vec![yanked.clone()]),
            ("sort_by=-version&limit=2", vec![Value::Null, yanked.clone()]),
            ("version=9", vec![]),
        ] {
            let page = admin.get(&kind.versions(&id, query)).await.body;
            let versions = page[kind.version_list].as_array().unwrap();
            let told = |version: &Value| {
                let mut yanked = version["yanked"].clone();
                if let Some(fields) = yanked.as_object_mut() {
                    assert!(fields.remove("etag").unwrap().is_string());
                }
                yanked
            };
            let told: Vec<Value> = versions.iter().map(told).collect();
            assert_eq!(told, expected, "{query}");
        }
        let page = admin.get(&kind.versions(&other, "")).await.body;
        let versions = page[kind.version_list].as_array().unwrap();
        assert!(
            versions.iter().all(|version| version["yanked"].is_null()),
            "another one's"
        );
    }
}

#[both_engines]
async fn a_query_for_versions_that_means_nothing_is_refused(server: TestServer) {
    for kind in KINDS {
        let versioned = kind.with_versions(server.admin(), 1).await;
        let empty = kind.create(server.admin(), "empty").await.id();
        for (parameter, values) in [
            (
                "version",
                &[
                    "", "0", "-1", "1-", "-", "3-2", "latest-3", "1-2-3", "newest", "%2B1", "1%20", "1,2",
                ][..],
            ),
            ("limit", &["0", "11", "-1", "ten", "1.5", ""]),
            ("continuation_token", &["-1", "next", "1.5"]),
            (
                "sort_by",
                &[
                    "",
                    "version",
                    "+",
                    "-",
                    "-Version",
                    "+created_at",
                    "-version%20",
                    "--version",
                    "é",
                ],
            ),
        ] {
            for value in values {
                for id in [&versioned, &empty] {
                    let refused = server
                        .admin()
                        .get(&kind.versions(id, &format!("{parameter}={value}")))
                        .await;
                    assert_eq!(refused.status, 422, "{parameter}={value}");
                    assert!(
                        refused.faults()[0].starts_with(&format!("query.{parameter}")),
                        "{}",
                        refused.body
                    );
                }
            }
        }
    }
}

#[both_engines]
async fn what_has_no_versions_lists_none(server: TestServer) {
    for kind in KINDS {
        let id = kind.create(server.admin(), "x").await.id();
        for query in [
            "",
            "version=1",
            "version=latest",
            "version=1-latest",
            "sort_by=-version",
        ] {
            assert!(
                kind.numbers(server.admin(), &id, query).await.is_empty(),
                "{query}"
            );
        }
    }
}

#[both_engines]
async fn a_version_says_whose_it_is_and_comes_back_as_it_was_sent(server: TestServer) {
    for kind in KINDS {
        let id = kind.create(server.admin(), "x").await.id();
        server.clock.advance_seconds(90);
        let mut sent = (kind.version)();
        sent["id"] = json!("an id that a client sends back");
        sent["version"] = json!(7);
        sent["org_id"] = json!("elsewhere");
        assert_eq!(server.admin().post(&kind.one(&id), sent).await.status, 201);
        let mut expected = (kind.version)();
        expected["org_id"] = json!(server.admin().organization);
        expected[kind.id_field] = json!(id);
        expected["version"] = json!(1);
        expected["created_at"] = json!("2026-11-23T12:01:30.000Z");
        expected["creator"] =
            json!({"org_id": server.admin().organization, "user_id": server.admin().user_id});
        expected["yanked"] = Value::Null;
        let page = server.admin().get(&kind.versions(&id, "")).await;
        assert_eq!(
            page.body,
            json!({kind.version_list: [expected], "has_more": false, "continuation_token": null})
        );
        server.clock.advance_seconds(-90);
    }
}
