//! The lists of agents and context graphs.

use forge_testkit::both_engines;
use serde_json::{Value, json};

use super::{AGENT, CONTEXT_GRAPH, KINDS, UNKNOWN, pages, text};

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
