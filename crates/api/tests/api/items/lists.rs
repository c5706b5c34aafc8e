//! Lists of items, and looking for them.

use forge_testkit::both_engines;
use serde_json::{Value, json};

use crate::support::assertions::assert_invalid_at;
use crate::support::grants::grant;
use crate::support::items::{BEHAVIOR_SET, KINDS, METRIC, PERSONA, SCENARIO, names_in};
use crate::support::pages::pages;
use crate::support::users::user_with;

#[both_engines]
async fn pages_are_filled_after_leaving_out_what_the_caller_may_not_see(server: TestServer) {
    for kind in KINDS {
        let names: Vec<String> = (0..70).map(|number| format!("n{number:02}")).collect();
        for name in &names {
            kind.named(&server, name).await;
        }
        let visible = [3, 15, 58, 64].map(|number: usize| names[number].clone());
        let conditions = json!({kind.name_attribute: {"type": "In", "values": visible}});
        let user = user_with(&server, kind.list, vec![grant(kind.get, &conditions)]).await;
        let path = format!("{}?limit=2&sort_by=-updated_at", kind.path);
        let seen = pages(&user, &path, kind.list, "name").await;
        assert_eq!(
            seen,
            [visible[..2].to_vec(), visible[2..].to_vec()],
            "all at one time: by creation"
        );
        let all = pages(
            server.admin(),
            &format!("{}?limit=7", kind.path),
            kind.list,
            "name",
        )
        .await;
        assert_eq!((all.len(), all.concat()), (10, names));
        let none = user.get(&format!("{}?limit=0", kind.path)).await;
        assert_eq!(
            (&none.body[kind.list], &none.body["has_more"]),
            (&json!([]), &json!(true))
        );
    }
}

#[both_engines]
async fn lists_are_sorted_by_the_last_change(server: TestServer) {
    for kind in KINDS {
        let mut ids = Vec::new();
        for name in ["a", "b", "c"] {
            server.clock.advance_seconds(1);
            ids.push(kind.named(&server, name).await);
        }
        server.clock.advance_seconds(1);
        server
            .admin()
            .post(&format!("{}{}/", kind.path, ids[1]), json!({"tags": {"t": null}}))
            .await;
        for (sort, expected) in [
            ("", ["a", "b", "c"]),
            ("&sort_by=%2Bupdated_at", ["a", "c", "b"]),
            ("&sort_by=-updated_at", ["b", "c", "a"]),
            ("&sort_by=-updated_at&sort_by=%2Bupdated_at", ["b", "c", "a"]),
        ] {
            let path = format!("{}?limit=1{sort}", kind.path);
            assert_eq!(
                pages(server.admin(), &path, kind.list, "name").await.concat(),
                expected,
                "{sort}"
            );
            let path = format!("{path}&id={}", ids.join("&id="));
            assert_eq!(
                pages(server.admin(), &path, kind.list, "name").await.concat(),
                expected,
                "{path}"
            );
        }
    }
}

#[both_engines]
async fn tags_and_creators_filter(server: TestServer) {
    let creator = format!("{},{}", server.admin().organization, server.admin().user_id);
    for kind in KINDS {
        for (name, tags) in [
            ("a", json!({"team": "care"})),
            ("b", json!({"team": null, "x": "1"})),
            ("c", json!({})),
        ] {
            let mut body = (kind.body)(name);
            body["tags"] = tags;
            kind.create(&server, body).await;
        }
        for (query, expected) in [
            ("?tag=team:*".to_owned(), vec!["a", "b"]),
            ("?tag=team:care".to_owned(), vec!["a"]),
            ("?tag=team:".to_owned(), vec!["b"]),
            ("?tag=team:*&tag=x:1".to_owned(), vec!["b"]),
            ("?tag=y:*".to_owned(), vec![]),
            (format!("?creator={creator}"), vec!["a", "b", "c"]),
            (format!("?creator=elsewhere,{}", server.admin().user_id), vec![]),
            (
                format!(
                    "?creator={creator}&creator={},nobody",
                    server.admin().organization
                ),
                vec!["a", "b", "c"],
            ),
        ] {
            assert_eq!(
                kind.names(&server, &query).await,
                expected,
                "{}{query}",
                kind.path
            );
        }
    }
    for (kind, status) in [
        (BEHAVIOR_SET, 200),
        (METRIC, 200),
        (PERSONA, 422),
        (SCENARIO, 422),
    ] {
        let answer = server
            .admin()
            .get(&format!("{}?creator={}", kind.path, server.admin().user_id))
            .await;
        assert_eq!(answer.status, status, "{}: {}", kind.path, answer.body);
    }
}

#[both_engines]
async fn filter_values_are_those_of_what_the_caller_may_see_and_come_with_the_first_page(server: TestServer) {
    for kind in KINDS {
        for (name, tags) in [
            ("a", json!({"team": "care"})),
            ("b", json!({"x": null})),
            ("c", json!({"team": "y"})),
        ] {
            let mut body = (kind.body)(name);
            body["tags"] = tags;
            kind.create(&server, body).await;
        }
        let user = user_with(
            &server,
            kind.list,
            vec![grant(
                kind.get,
                &json!({kind.name_attribute: {"type": "Equals", "value": "b"}}),
            )],
        )
        .await;
        let first = user.get(&format!("{}?limit=1", kind.path)).await;
        assert_eq!(names_in(&first.body[kind.list]), ["b"]);
        let values = &first.body["filter_values"];
        assert_eq!(values["tags"], json!(["x"]));
        let creator = json!({"org_id": server.admin().organization, "user_id": server.admin().user_id});
        assert_eq!(values["creators"], json!([creator]));
        let filtered = user.get(&format!("{}?tag=team:*", kind.path)).await;
        assert_eq!(filtered.body["filter_values"]["tags"], json!([]));
        let filtered = server.admin().get(&format!("{}?tag=team:*", kind.path)).await;
        assert_eq!(
            filtered.body["filter_values"]["tags"],
            json!(["team"]),
            "of what passes the filters"
        );
        let first = server.admin().get(&format!("{}?limit=1", kind.path)).await;
        let token = &first.body["continuation_token"];
        let second = server
            .admin()
            .get(&format!("{}?limit=1&continuation_token={token}", kind.path))
            .await;
        assert_eq!(second.body["filter_values"], Value::Null);
    }
}

#[both_engines]
async fn what_a_list_does_not_know_is_refused(server: TestServer) {
    for kind in KINDS {
        kind.named(&server, "a").await;
        for (query, place) in [
            ("limit=-1", "query.limit"),
            ("limit=501", "query.limit"),
            ("continuation_token=-1", "query.continuation_token"),
            (
                "continuation_token=99&sort_by=-updated_at",
                "query.continuation_token",
            ),
            ("sort_by=name", "query.sort_by"),
            ("sort_by=-name", "query.sort_by"),
            ("tag=team", "query.tag"),
            ("id=nonsense", "query.id"),
        ] {
            assert_invalid_at(
                &server.admin().get(&format!("{}?{query}", kind.path)).await,
                place,
            );
        }
    }
}

#[both_engines]
async fn a_search_finds_names_and_what_the_contract_adds_best_first(server: TestServer) {
    let admin = server.admin();
    for (name, background) in [
        ("Ada", "An ANGRY customer of many years."),
        ("Angry Bob", "Calm, in truth."),
        ("Cleo", "Sometimes angrily loud."),
        ("100%_real", "Nothing."),
    ] {
        let mut body = (PERSONA.body)(name);
        body["initial_version"]["background"] = background.into();
        PERSONA.create(&server, body).await;
    }
    for (query, expected) in [
        ("angry", vec!["Angry Bob", "Ada"]),
        ("ANGR", vec!["Angry Bob", "Ada", "Cleo"]),
        ("bob%20calm", vec!["Angry Bob"]),
        ("bob%20customer", vec![]),
        ("%25_", vec!["100%_real"]),
        ("_", vec!["100%_real"]),
        ("0815-secret", vec![]),
    ] {
        let found = admin
            .get(&format!("simulation/persona/search?query={query}"))
            .await;
        assert_eq!(found.status, 200, "{}", found.body);
        assert_eq!(names_in(&found.body["simulation_personas"]), expected, "{query}");
    }
    SCENARIO.named(&server, "Refund").await;
    let search = |query: &'static str| async move {
        let found = admin
            .get(&format!("simulation/scenario/search?query={query}"))
            .await;
        names_in(&found.body["simulation_scenarios"])
    };
    assert_eq!(search("refund").await, ["Refund"]);
    assert_eq!(
        search("insist").await,
        Vec::<String>::new(),
        "of scenarios, only names are searched"
    );
    BEHAVIOR_SET.named(&server, "Calm").await;
    let found = admin
        .get("dynamic_behavior_set/search?query=user%20angry&is_active=true")
        .await;
    assert_eq!(names_in(&found.body["dynamic_behavior_sets"]), ["Calm"]);
    for query in ["", "query=", "query=%20"] {
        assert_invalid_at(
            &admin.get(&format!("simulation/persona/search?{query}")).await,
            "query.query",
        );
    }
}

#[both_engines]
async fn a_search_looks_at_the_latest_version_of_what_is_not_deleted_and_may_be_seen(server: TestServer) {
    for kind in [BEHAVIOR_SET, PERSONA, SCENARIO] {
        let ids = [
            kind.named(&server, "Calm one").await,
            kind.named(&server, "Calm two").await,
        ];
        let user = user_with(
            &server,
            kind.list,
            vec![grant(
                kind.get,
                &json!({kind.name_attribute: {"type": "Equals", "value": "Calm two"}}),
            )],
        )
        .await;
        let path = format!("{}search?query=calm", kind.path);
        let found = |answer: forge_testkit::TestResponse| names_in(&answer.body[kind.list]);
        assert_eq!(found(server.admin().get(&path).await), ["Calm one", "Calm two"]);
        assert_eq!(found(user.get(&path).await), ["Calm two"]);
        server.admin().delete(&format!("{}{}/", kind.path, ids[1])).await;
        assert_eq!(found(user.get(&path).await), Vec::<String>::new());
    }
    let id = BEHAVIOR_SET.named(&server, "Third").await;
    let version = json!({"conversation_triggers": ["The user is sad."], "actions": []});
    let created = server
        .admin()
        .post(&format!("dynamic_behavior_set/{id}/version/"), version)
        .await;
    assert_eq!(created.status, 201, "{}", created.body);
    for (query, expected) in [("sad", vec!["Third"]), ("third%20angry", vec![])] {
        let found = server
            .admin()
            .get(&format!("dynamic_behavior_set/search?query={query}"))
            .await;
        assert_eq!(names_in(&found.body["dynamic_behavior_sets"]), expected);
    }
}
