//! Agents, and what context graphs have in common with them: a name, numbered versions, and an end.
//!
//! Whatever holds for both kinds is tested on both. What only graphs have is in `context_graphs`.

use axum::Router;
use axum::body::Body;
use axum::handler::Handler as _;
use axum::http::{Method, Request, StatusCode, header};
use axum::routing::any_service;
use forge_api::Limits;
use forge_app::{App, Catalogues};
use forge_domain::access::DefaultRole;
use forge_domain::agent::VoiceCatalogue;
use forge_domain::asset::AssetKind;
use forge_domain::{Clock as _, UserRef};
use forge_store::NewYank;
use forge_testkit::{
    KNOWN_TOOL, TestClient, TestResponse, agent_version, both_engines, context_graph_version, service_body,
};
use serde_json::{Value, json};

/// An id that nothing has.
const UNKNOWN: &str = "ffffffffffffffffffffffff";

/// What the API calls the things that agents and context graphs have in common.
#[derive(Clone, Copy)]
struct Kind {
    path: &'static str,
    name_field: &'static str,
    id_field: &'static str,
    list: &'static str,
    version_list: &'static str,
    limits: [i64; 2],
    version: fn() -> Value,
}

const AGENT: Kind = Kind {
    path: "organization/agent",
    name_field: "agent_name",
    id_field: "agent_id",
    list: "agents",
    version_list: "agent_versions",
    limits: [1, 20],
    version: agent_version,
};

const CONTEXT_GRAPH: Kind = Kind {
    path: "organization/service_hierarchical_state_machine",
    name_field: "state_machine_name",
    id_field: "service_hierarchical_state_machine_id",
    list: "service_hierarchical_state_machines",
    version_list: "state_machine_versions",
    limits: [0, 50],
    version: context_graph_version,
};

const KINDS: [Kind; 2] = [AGENT, CONTEXT_GRAPH];

impl Kind {
    fn one(&self, id: &str) -> String {
        format!("{}/{id}/", self.path)
    }

    fn versions(&self, id: &str, query: &str) -> String {
        format!("{}/{id}/version?{query}", self.path)
    }

    async fn create(&self, client: &TestClient, name: &str) -> TestResponse {
        client.post(self.path, json!({self.name_field: name})).await
    }

    async fn create_all(&self, client: &TestClient, names: &[&str]) -> Vec<String> {
        let mut ids = Vec::new();
        for name in names {
            ids.push(self.create(client, name).await.id());
        }
        ids
    }

    async fn add_version(&self, client: &TestClient, id: &str) -> TestResponse {
        client.post(&self.one(id), (self.version)()).await
    }

    async fn with_versions(&self, client: &TestClient, count: usize) -> String {
        let id = self.create(client, "versioned").await.id();
        for _ in 0..count {
            assert_eq!(self.add_version(client, &id).await.status, 201);
        }
        id
    }

    async fn rows(&self, client: &TestClient, query: &str) -> Vec<Value> {
        let page = client.get(&format!("{}?{query}", self.path)).await;
        assert_eq!(page.status, 200, "{query}: {}", page.body);
        page.body[self.list].as_array().unwrap().clone()
    }

    async fn names(&self, client: &TestClient, query: &str) -> Vec<String> {
        self.rows(client, query)
            .await
            .iter()
            .map(|row| text(&row["name"]))
            .collect()
    }

    async fn numbers(&self, client: &TestClient, id: &str, query: &str) -> Vec<i64> {
        let page = client.get(&self.versions(id, query)).await;
        assert_eq!(page.status, 200, "{query}: {}", page.body);
        page.body[self.version_list]
            .as_array()
            .unwrap()
            .iter()
            .map(number)
            .collect()
    }

    /// Every operation on one agent or graph.
    fn operations_on(&self, id: &str) -> [(Method, String, Option<Value>); 3] {
        [
            (Method::POST, self.one(id), Some((self.version)())),
            (Method::GET, self.versions(id, ""), None),
            (Method::DELETE, self.one(id), None),
        ]
    }

    /// Every operation.
    fn operations(&self, id: &str) -> Vec<(Method, String, Option<Value>)> {
        let mut operations = vec![
            (
                Method::POST,
                self.path.to_owned(),
                Some(json!({self.name_field: "new"})),
            ),
            (Method::GET, self.path.to_owned(), None),
        ];
        operations.extend(self.operations_on(id));
        operations
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn number(version: &Value) -> i64 {
    version["version"].as_i64().unwrap()
}

/// Reads a list page by page and returns the rows of each page.
async fn pages(client: &TestClient, path: &str, list: &str) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut token = json!(0);
    while !token.is_null() {
        let page = client.get(&format!("{path}&continuation_token={token}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        pages.push(page.body[list].as_array().unwrap().clone());
        token = page.body["continuation_token"].clone();
        assert_eq!(page.body["has_more"], !token.is_null());
        assert!(pages.len() < 100, "paging ends");
    }
    pages
}

#[both_engines]
async fn a_new_one_has_a_name_and_no_version(server: TestServer) {
    for kind in KINDS {
        let id = kind.create(server.admin(), "Mira").await.id();
        assert!(
            id.len() == 24
                && id
                    .bytes()
                    .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)),
            "{id}"
        );
        let rows = kind.rows(server.admin(), "").await;
        assert_eq!(
            rows,
            [json!({"id": id, "name": "Mira", "deprecated": false, "latest_version": null})]
        );
    }
}

#[both_engines]
async fn names_are_stripped_and_have_at_most_256_characters(server: TestServer) {
    let long = "é".repeat(256);
    for kind in KINDS {
        for name in ["  Mira \n", &format!("\t{long} ")] {
            assert_eq!(kind.create(server.admin(), name).await.status, 201);
        }
        assert_eq!(kind.names(server.admin(), "").await, ["Mira", &long]);
        let place = format!("body.{}", kind.name_field);
        for (body, fault) in [
            (json!({kind.name_field: format!("{long}é")}), "string_too_long"),
            (json!({kind.name_field: " \t\n"}), "string_too_short"),
            (json!({kind.name_field: null}), "type"),
            (json!({}), "missing"),
        ] {
            let refused = server.admin().post(kind.path, body).await;
            assert_eq!(refused.status, 422);
            assert_eq!(refused.faults(), [format!("{place}: {fault}")]);
        }
    }
}

#[both_engines]
async fn names_are_unique_in_an_organization_deprecated_ones_included(server: TestServer) {
    for kind in KINDS {
        let id = kind.create(server.admin(), "Mira").await.id();
        for name in ["Mira", " Mira "] {
            let refused = kind.create(server.admin(), name).await;
            assert_eq!(refused.status, 409);
            assert!(refused.detail().contains("`Mira`"), "{}", refused.detail());
        }
        assert_eq!(server.admin().delete(&kind.one(&id)).await.status, 200);
        assert_eq!(kind.create(server.admin(), "Mira").await.status, 409);
        assert_eq!(kind.create(server.admin(), "mira").await.status, 201);
        assert_eq!(kind.create(server.stranger(), "Mira").await.status, 201);
    }
}

#[both_engines]
async fn the_list_is_read_page_by_page_in_order_of_creation(server: TestServer) {
    for kind in KINDS {
        let ids = kind.create_all(server.admin(), &["e", "d", "c", "b", "a"]).await;
        server.admin().delete(&kind.one(&ids[1])).await;
        let names = |pages: Vec<Vec<Value>>| -> Vec<String> {
            pages
                .iter()
                .map(|rows| rows.iter().map(|row| text(&row["name"])).collect())
                .collect()
        };
        for (query, expected) in [
            ("limit=1", vec!["e", "d", "c", "b", "a"]),
            ("limit=2", vec!["ed", "cb", "a"]),
            ("limit=5", vec!["edcba"]),
            ("limit=3&deprecated=false", vec!["ecb", "a"]),
            ("limit=1&deprecated=true", vec!["d"]),
            (
                &format!("limit=2&id={}&id={}&id={}", ids[4], ids[0], ids[2]),
                vec!["ec", "a"],
            ),
        ] {
            let pages = pages(server.admin(), &format!("{}?{query}", kind.path), kind.list).await;
            assert_eq!(names(pages), expected, "{query}");
        }
    }
}

#[both_engines]
async fn a_page_goes_on_where_the_one_before_it_ended_whatever_happened_meanwhile(server: TestServer) {
    for kind in KINDS {
        let ids = kind.create_all(server.admin(), &["a", "b", "c"]).await;
        let first = server.admin().get(&format!("{}?limit=2", kind.path)).await;
        kind.create(server.admin(), "d").await.id();
        server.admin().delete(&kind.one(&ids[0])).await;
        let query = format!(
            "deprecated=false&continuation_token={}",
            first.body["continuation_token"]
        );
        assert_eq!(kind.names(server.admin(), &query).await, ["c", "d"]);
        let end = format!("continuation_token={}", i64::MAX);
        assert!(kind.rows(server.admin(), &end).await.is_empty());
    }
}

#[both_engines]
async fn limits_and_tokens_of_the_list_have_bounds(server: TestServer) {
    for kind in KINDS {
        let names: Vec<String> = (0..51).map(|number| number.to_string()).collect();
        kind.create_all(
            server.admin(),
            &names.iter().map(String::as_str).collect::<Vec<_>>(),
        )
        .await;
        let [least, most] = kind.limits;
        for limit in [least, most] {
            let rows = kind.rows(server.admin(), &format!("limit={limit}")).await;
            assert_eq!(rows.len(), usize::try_from(limit).unwrap());
        }
        for (parameter, value) in [
            ("limit", (least - 1).to_string()),
            ("limit", (most + 1).to_string()),
            ("limit", "ten".to_owned()),
            ("limit", "1.5".to_owned()),
            ("limit", String::new()),
            ("continuation_token", "-1".to_owned()),
            ("continuation_token", "next".to_owned()),
            ("continuation_token", "9223372036854775808".to_owned()),
            ("deprecated", "perhaps".to_owned()),
        ] {
            let refused = server
                .admin()
                .get(&format!("{}?{parameter}={value}", kind.path))
                .await;
            assert_eq!(refused.status, 422, "{parameter}={value}");
            assert!(
                refused.faults()[0].starts_with(&format!("query.{parameter}: ")),
                "{}",
                refused.body
            );
        }
    }
    let defaults = [
        AGENT.rows(server.admin(), "").await.len(),
        CONTEXT_GRAPH.rows(server.admin(), "").await.len(),
    ];
    assert_eq!(defaults, [10, 50]);
}

#[both_engines]
async fn a_limit_of_zero_tells_only_whether_there_are_any(server: TestServer) {
    let path = format!("{}?limit=0", CONTEXT_GRAPH.path);
    let page = |has_more: bool, token: Value| json!({CONTEXT_GRAPH.list: [], "has_more": has_more, "continuation_token": token});
    assert_eq!(server.admin().get(&path).await.body, page(false, json!(null)));
    CONTEXT_GRAPH.create(server.admin(), "x").await.id();
    assert_eq!(server.admin().get(&path).await.body, page(true, json!(0)));
}

#[both_engines]
async fn the_list_is_filtered_by_id_and_deprecation(server: TestServer) {
    for kind in KINDS {
        let ids = kind.create_all(server.admin(), &["a", "b", "c"]).await;
        server.admin().delete(&kind.one(&ids[1])).await;
        let [a, b, c] = [&ids[0], &ids[1], &ids[2]].map(|id| format!("id={id}"));
        for (query, expected) in [
            ("deprecated=true", vec!["b"]),
            ("deprecated=false", vec!["a", "c"]),
            (&c, vec!["c"]),
            (&format!("{c}&{a}"), vec!["a", "c"]),
            (&format!("{a}&{b}&deprecated=true"), vec!["b"]),
            (&format!("{a}&id={UNKNOWN}"), vec!["a"]),
            (&format!("id={UNKNOWN}"), vec![]),
            ("unheard=of", vec!["a", "b", "c"]),
        ] {
            assert_eq!(kind.names(server.admin(), query).await, expected, "{query}");
        }
        let upper = format!("id={}", ids[0].to_uppercase());
        for query in [
            &format!("{a}&{a}"),
            "id=x",
            "id=",
            &upper,
            &format!("{a},{}", ids[1]),
        ] {
            let refused = server.admin().get(&format!("{}?{query}", kind.path)).await;
            assert_eq!(refused.status, 422, "{query}");
            assert!(refused.faults()[0].starts_with("query.id"), "{}", refused.body);
        }
    }
}

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
            tx.put_yank(asset, &id, version, new).await.unwrap();
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

#[both_engines]
async fn deletion_deprecates_once_and_keeps_the_versions(server: TestServer) {
    for kind in KINDS {
        let id = kind.with_versions(server.admin(), 2).await;
        let deleted = server.admin().delete(&kind.one(&id)).await;
        assert_eq!((deleted.status, deleted.body), (StatusCode::OK, json!({})));
        let again = server.admin().delete(&kind.one(&id)).await;
        assert_eq!(again.status, 409);
        assert!(again.detail().contains(&id), "{}", again.detail());
        let expected = json!({"id": id, "name": "versioned", "deprecated": true, "latest_version": 2});
        assert_eq!(kind.rows(server.admin(), "").await, [expected]);
        assert_eq!(kind.numbers(server.admin(), &id, "").await, [1, 2]);
    }
}

#[both_engines]
async fn what_an_active_service_uses_is_not_deleted(server: TestServer) {
    let service = server.service(1).await;
    let found = server.admin().get(&format!("service/?id={service}")).await.body["services"][0].clone();
    for kind in KINDS {
        let id = text(&found[kind.id_field]);
        let refused = server.admin().delete(&kind.one(&id)).await;
        assert_eq!(refused.status, 400);
        assert!(
            refused.detail().contains(&format!("`{}`", text(&found["name"]))),
            "{}",
            refused.detail()
        );
        assert_eq!(kind.rows(server.admin(), "").await[0]["deprecated"], false);
    }
    let inactive = json!({"is_active": false});
    assert_eq!(
        server
            .admin()
            .post(&format!("service/{service}/"), inactive)
            .await
            .status,
        200
    );
    for kind in KINDS {
        let deleted = server
            .admin()
            .delete(&kind.one(&text(&found[kind.id_field])))
            .await;
        assert_eq!(
            deleted.status, 200,
            "an inactive service is no obstacle: {}",
            deleted.body
        );
    }
}

#[both_engines]
async fn of_many_services_that_use_it_the_refusal_names_five(server: TestServer) {
    let (agent, graph) = (server.agent(1).await, server.context_graph(1).await);
    for number in 1..=6 {
        server
            .admin()
            .post("service/", service_body(&format!("s{number}"), &agent, &graph))
            .await
            .id();
    }
    for (kind, id) in [(AGENT, &agent), (CONTEXT_GRAPH, &graph)] {
        let refused = server.admin().delete(&kind.one(id)).await;
        assert_eq!(refused.status, 400);
        assert!(
            refused.detail().contains("(`s1`, `s2`, `s3`, `s4`, `s5`, …)"),
            "{}",
            refused.detail()
        );
    }
}

#[both_engines]
async fn every_operation_asks_who_calls_what_they_may_and_what_it_is_about(server: TestServer) {
    let user = server.user(DefaultRole::User).await;
    let nowhere = server.admin().in_organization("no-such-organization");
    for kind in KINDS {
        let id = kind.with_versions(server.admin(), 1).await;
        for (method, path, body) in kind.operations(&id) {
            let anonymous = server
                .admin()
                .anonymous()
                .send(method.clone(), &path, body.clone())
                .await;
            assert_eq!(anonymous.status, 401, "{method} {path}");
            let forbidden = user.send(method.clone(), &path, body.clone()).await;
            if method == Method::GET && path == kind.path {
                assert!(forbidden.shows_nothing(), "{method} {path}: {}", forbidden.body);
            } else {
                assert_eq!(forbidden.status, 403, "{method} {path}");
                assert!(
                    forbidden.detail().contains("`Organization:"),
                    "{}",
                    forbidden.detail()
                );
            }
            assert_eq!(
                nowhere.send(method.clone(), &path, body).await.status,
                404,
                "{method} {path}"
            );
        }
        for (method, path, body) in kind.operations_on(UNKNOWN) {
            let unknown = server.admin().send(method.clone(), &path, body.clone()).await;
            assert_eq!(unknown.status, 404, "{method} {path}");
            assert!(unknown.detail().contains(UNKNOWN), "{}", unknown.detail());
            assert_eq!(
                user.send(method.clone(), &path, body).await.status,
                403,
                "{method} {path}"
            );
        }
        for malformed in [
            "x",
            &UNKNOWN[1..],
            &UNKNOWN.to_uppercase(),
            &format!("{UNKNOWN}f"),
            "%20",
        ] {
            for (method, path, body) in kind.operations_on(malformed) {
                let refused = server.admin().send(method.clone(), &path, body).await;
                assert_eq!(refused.status, 422, "{method} {path}");
                assert!(refused.faults()[0].starts_with("path."), "{}", refused.body);
            }
        }
        assert_eq!(
            kind.names(server.admin(), "").await,
            ["versioned"],
            "nothing was created"
        );
    }
}

#[both_engines]
async fn failures_come_in_the_documented_order(server: TestServer) {
    let user = server.user(DefaultRole::User).await;
    let nowhere = server.admin().anonymous().in_organization("no-such-organization");
    for kind in KINDS {
        let malformed = || json!({"background": 7, "states": 7});
        for (client, id, body, status) in [
            (&nowhere, "x", malformed(), 404),
            (&server.admin().anonymous(), "x", malformed(), 401),
            (&user, "x", malformed(), 403),
            (&user, UNKNOWN, (kind.version)(), 403),
            (server.admin(), "x", malformed(), 422),
            (server.admin(), UNKNOWN, malformed(), 422),
            (server.admin(), UNKNOWN, (kind.version)(), 404),
        ] {
            let answer = client.post(&format!("{}?version=9", kind.one(id)), body).await;
            assert_eq!(answer.status, status, "{}", answer.body);
        }
    }
}

#[both_engines]
async fn another_organizations_are_not_there(server: TestServer) {
    for kind in KINDS {
        let id = kind.with_versions(server.admin(), 1).await;
        assert!(kind.rows(server.stranger(), "").await.is_empty());
        assert!(kind.rows(server.stranger(), &format!("id={id}")).await.is_empty());
        let unknown = kind.operations_on(UNKNOWN);
        for ((method, path, body), (_, other, _)) in kind.operations_on(&id).into_iter().zip(unknown) {
            let hidden = server.stranger().send(method.clone(), &path, body.clone()).await;
            assert_eq!(hidden.status, 404, "{method} {path}");
            let unknown = server.stranger().send(method, &other, body).await;
            assert_eq!(hidden.detail().replace(&id, UNKNOWN), unknown.detail());
        }
        let expected = json!({"id": id, "name": "versioned", "deprecated": false, "latest_version": 1});
        assert_eq!(kind.rows(server.admin(), "").await, [expected]);
    }
}

#[both_engines]
async fn every_path_works_with_and_without_a_slash_at_its_end(server: TestServer) {
    let admin = server.admin();
    for kind in KINDS {
        let body = |name: &str| json!({kind.name_field: name});
        let without = admin.post(kind.path, body("a")).await.id();
        let with = admin.post(&format!("{}/", kind.path), body("b")).await.id();
        for slash in ["", "/"] {
            assert_eq!(admin.get(&format!("{}{slash}", kind.path)).await.status, 200);
            let one = format!("{}/{without}{slash}", kind.path);
            assert_eq!(admin.post(&one, (kind.version)()).await.status, 201);
            assert_eq!(
                admin
                    .get(&format!("{}/{without}/version{slash}", kind.path))
                    .await
                    .status,
                200
            );
        }
        assert_eq!(
            admin.delete(&format!("{}/{without}", kind.path)).await.status,
            200
        );
        assert_eq!(admin.delete(&format!("{}/{with}/", kind.path)).await.status, 200);
    }
}

#[both_engines]
async fn the_change_number_rises_by_one_with_each_write_and_with_nothing_else(server: TestServer) {
    for kind in KINDS {
        let created = kind.create(server.admin(), "x").await;
        let (id, start) = (created.id(), created.sequence().unwrap());
        assert_eq!(
            kind.add_version(server.admin(), &id).await.sequence(),
            Some(start + 1)
        );
        assert_eq!(server.admin().get(kind.path).await.sequence(), None);
        assert_eq!(kind.create(server.admin(), "x").await.sequence(), None);
        assert_eq!(
            server
                .admin()
                .post(&(kind.one(&id) + "?version=9"), (kind.version)())
                .await
                .status,
            409
        );
        assert_eq!(kind.create(server.stranger(), "x").await.status, 201);
        assert_eq!(
            kind.add_version(server.admin(), &id).await.sequence(),
            Some(start + 2)
        );
        assert_eq!(
            server.admin().delete(&kind.one(&id)).await.sequence(),
            Some(start + 3)
        );
    }
}

#[both_engines]
async fn the_first_version_of_an_agent_needs_every_field(server: TestServer) {
    let id = AGENT.create(server.admin(), "Mira").await.id();
    let fields: Vec<String> = agent_version().as_object().unwrap().keys().cloned().collect();
    for field in &fields {
        let mut absent = agent_version();
        absent.as_object_mut().unwrap().remove(field);
        let mut null = agent_version();
        null[field] = Value::Null;
        for body in [absent, null] {
            let refused = server.admin().post(&AGENT.one(&id), body).await;
            assert_eq!(refused.status, 400);
            assert!(
                refused.detail().ends_with(&format!("missing: {field}")),
                "{}",
                refused.detail()
            );
        }
    }
    let refused = server.admin().post(&AGENT.one(&id), json!({})).await;
    assert_eq!(refused.status, 400);
    assert!(
        fields.iter().all(|field| refused.detail().contains(field)),
        "{}",
        refused.detail()
    );
    assert_eq!(
        AGENT.rows(server.admin(), "").await[0]["latest_version"],
        Value::Null
    );
    assert_eq!(number(&AGENT.add_version(server.admin(), &id).await.body), 1);
}

#[both_engines]
async fn a_later_version_of_an_agent_keeps_what_it_does_not_name(server: TestServer) {
    let id = AGENT.with_versions(server.admin(), 1).await;
    let changes = [
        json!({"background": "Another past."}),
        json!({"behaviors": [], "initials": null, "identity": null}),
        json!({}),
    ];
    let mut expected = agent_version();
    for (change, version) in changes.into_iter().zip(2..) {
        assert_eq!(
            number(&server.admin().post(&AGENT.one(&id), change.clone()).await.body),
            version
        );
        for (field, value) in change
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, value)| !value.is_null())
        {
            expected[field] = value.clone();
        }
        let page = server.admin().get(&AGENT.versions(&id, "version=latest")).await;
        let found = &page.body["agent_versions"][0];
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&found[field], value, "version {version}");
        }
    }
    let page = server.admin().get(&AGENT.versions(&id, "version=1")).await;
    assert_eq!(
        page.body["agent_versions"][0]["background"],
        agent_version()["background"]
    );
}

#[both_engines]
async fn the_fields_of_an_agent_have_bounds(server: TestServer) {
    let id = AGENT.create(server.admin(), "Mira").await.id();
    for (pointer, value, fault) in [
        ("/initials", json!("ABCD"), "body.initials: string_too_long"),
        ("/initials", json!(" "), "body.initials: string_too_short"),
        ("/background", json!(""), "body.background: string_too_short"),
        (
            "/behaviors",
            json!(["a", "\n"]),
            "body.behaviors.1: string_too_short",
        ),
        (
            "/communication_patterns",
            json!([""]),
            "body.communication_patterns.0: string_too_short",
        ),
        (
            "/voice_config/voice_id",
            json!(""),
            "body.voice_config.voice_id: string_too_short",
        ),
        ("/voice_config", json!({}), "body.voice_config.voice_id: missing"),
        (
            "/identity/name",
            json!(""),
            "body.identity.name: string_too_short",
        ),
        (
            "/identity/default_spoken_language",
            json!("xyz"),
            "body.identity.default_spoken_language: enum",
        ),
        (
            "/identity/relationship_to_developer",
            json!({"ownership": "o", "type": "t", "conversation_visibility": "c"}),
            "body.identity.relationship_to_developer.thought_visibility: missing",
        ),
    ] {
        let mut body = agent_version();
        *body.pointer_mut(pointer).unwrap() = value;
        let refused = server.admin().post(&AGENT.one(&id), body).await;
        assert_eq!(refused.status, 422, "{pointer}");
        assert_eq!(refused.faults(), [fault]);
    }
    let mut body = agent_version();
    body["initials"] = json!(" ÄÖÜ ");
    assert_eq!(server.admin().post(&AGENT.one(&id), body).await.status, 201);
    let page = server.admin().get(&AGENT.versions(&id, "")).await;
    assert_eq!(page.body["agent_versions"][0]["initials"], "ÄÖÜ");
}

#[both_engines]
async fn an_installation_may_admit_only_some_voices(server: TestServer) {
    let id = AGENT.create(server.admin(), "Mira").await.id();
    let voice = text(&agent_version()["voice_config"]["voice_id"]);
    for (admitted, expected) in [("another voice", 400), (&voice, 201)] {
        let catalogues = Catalogues {
            models: server.app.catalogues.models.clone(),
            voices: VoiceCatalogue::Only(vec![admitted.to_owned()]),
            tools: [KNOWN_TOOL.parse().unwrap()].into(),
        };
        let app = App {
            catalogues: catalogues.into(),
            ..server.app.clone()
        };
        let router = forge_api::router(app, Limits::default());
        assert_eq!(
            post_to(router, server.admin(), &AGENT.one(&id), &agent_version()).await,
            expected
        );
    }
}

/// Sends JSON to a router of the test's own and returns the status.
async fn post_to(router: Router, client: &TestClient, path: &str, body: &Value) -> StatusCode {
    let request = Request::post(format!("/v1/{}/{path}", client.organization))
        .header(
            header::AUTHORIZATION,
            format!("Bearer {}", client.token.as_ref().unwrap()),
        )
        .body(Body::from(body.to_string()));
    any_service(router).call(request.unwrap(), ()).await.status()
}
