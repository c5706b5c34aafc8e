//! The list of services: its filters, its parameters, and who sees what.

use forge_app::services::{self, ListServices, SortKey};
use forge_domain::Direction;
use forge_domain::access::{DefaultRole, Grant};
use forge_testkit::{both_engines, service_body, version_set};
use serde_json::json;

use super::{binding, create, delete_set, names, pages, put_set, rows_with_ties, with};
use crate::support::assertions::assert_invalid;
use crate::support::grants::parsed_grant;
use crate::support::ids::UNKNOWN_ID;

fn everything() -> ListServices {
    ListServices {
        ids: Vec::new(),
        is_active: None,
        tags: Vec::new(),
        sort: Vec::new(),
        limit: 20,
        continuation_token: 0,
    }
}

#[both_engines]
async fn a_page_has_ten_services_unless_asked_otherwise(server: TestServer) {
    let (agent, graph) = binding(&server, 1).await;
    for number in 0..12 {
        create(&server, service_body(&format!("s{number}"), &agent, &graph)).await;
    }
    let page = server.admin().get("service/").await;
    assert_eq!(page.body["services"].as_array().unwrap().len(), 10);
    assert_eq!(page.body["has_more"], json!(true));
    let page = server.admin().get("service/?limit=20").await;
    assert_eq!(page.body["services"].as_array().unwrap().len(), 12);
    for limit in ["0", "21", "-1", "ten", "1.5", ""] {
        assert_eq!(
            server
                .admin()
                .get(&format!("service/?limit={limit}"))
                .await
                .status,
            422,
            "{limit}"
        );
    }
    assert_invalid(
        &server.admin().get("service/?limit=0").await,
        &["query.limit: greater_than"],
    );
    assert_invalid(
        &server.admin().get("service/?limit=21").await,
        &["query.limit: less_than_equal"],
    );
}

#[both_engines]
async fn services_are_found_by_id_and_activity(server: TestServer) {
    let rows = rows_with_ties(&server).await;
    let id = |n: usize| rows[n].id.as_str();
    let found = async |query: &str| pages(server.admin(), query, 20).await.concat();
    assert_eq!(found(&format!("id={}", id(3))).await, [id(3)]);
    assert_eq!(found(&format!("id={}&id={}", id(3), id(1))).await, [id(1), id(3)]);
    assert_eq!(found(&format!("id={UNKNOWN_ID}&id={}", id(1))).await, [id(1)]);
    assert!(found(&format!("id={UNKNOWN_ID}")).await.is_empty());
    assert_eq!(
        found(&format!("id={}&id={}&is_active=false", id(0), id(1))).await,
        [id(0)]
    );
    assert_eq!(found("is_active=true").await, [id(1), id(2), id(3), id(7)]);
}

#[both_engines]
async fn tags_are_filtered_by_value_any_value_or_none_and_all_must_fit(server: TestServer) {
    let (agent, graph) = binding(&server, 1).await;
    for (name, tags) in [
        ("none", json!({})),
        ("care", json!({"team": "care", "flag": null})),
        ("sales", json!({"team": "sales"})),
        ("null", json!({"team": null})),
        ("inactive", json!({"team": "care", "shift": "late night"})),
    ] {
        let changes = json!({"tags": tags, "is_active": name != "inactive"});
        create(&server, with(service_body(name, &agent, &graph), &changes)).await;
    }
    let found = async |query: &str| names(server.admin(), query).await;
    assert_eq!(found("tags=team:care").await, ["care", "inactive"]);
    assert_eq!(found("tags=team:*").await, ["care", "sales", "null", "inactive"]);
    assert_eq!(found("tags=team:").await, ["null"]);
    assert_eq!(found("tags=shift:late%20night").await, ["inactive"]);
    assert_eq!(found("tags=team:care&tags=flag:").await, ["care"]);
    assert_eq!(found("tags=team:care&tags=flag:*&is_active=true").await, ["care"]);
    assert!(found("tags=team:care&tags=team:sales").await.is_empty());
    assert!(found("tags=Team:care").await.is_empty());
    assert!(found("tags=unknown:*").await.is_empty());
    assert!(found("tags=team:**").await.is_empty());
    for bad in ["team", "", ":x", ":", "*"] {
        let answer = server
            .admin()
            .get(&format!("service/?tags=team:care&tags={bad}"))
            .await;
        assert_invalid(&answer, &["query.tags: invalid"]);
    }
    let answer = server.admin().get("service/?tags=team:sales").await;
    let values = ["flag:", "shift:late night", "team:", "team:care", "team:sales"];
    assert_eq!(answer.body["filter_values"], json!({"tags": values}));
}

#[both_engines]
async fn services_are_sorted_only_by_what_is_supported(server: TestServer) {
    rows_with_ties(&server).await;
    for bad in [
        "name",
        "%2Bagent_id",
        "-",
        "%2B",
        "",
        "--name",
        "*name",
        "-NAME",
        "é",
    ] {
        let answer = server
            .admin()
            .get(&format!("service/?sort_by=-name&sort_by={bad}"))
            .await;
        assert_invalid(&answer, &["query.sort_by: invalid"]);
    }
    // A `+` that was not escaped arrives as a blank.
    let (raw, escaped) = (
        "sort_by=+is_active&sort_by=-name",
        "sort_by=%2Bis_active&sort_by=-name",
    );
    assert_eq!(
        names(server.admin(), raw).await,
        names(server.admin(), escaped).await
    );
}

#[both_engines]
async fn a_token_must_come_from_a_page(server: TestServer) {
    let rows = rows_with_ties(&server).await;
    let id = &rows[0].id;
    let by_id = format!("id={id}");
    for query in [
        "",
        "sort_by=-name",
        "sort_by=%2Bis_active&sort_by=-name",
        "is_active=true",
        &by_id,
    ] {
        for token in [1000, i64::MAX] {
            let answer = server
                .admin()
                .get(&format!("service/?{query}&continuation_token={token}"))
                .await;
            assert_invalid(&answer, &["query.continuation_token: unknown_token"]);
        }
        for token in [
            "-1",
            "-9223372036854775808",
            "x",
            "9223372036854775808",
            "1.5",
            "",
        ] {
            let answer = server
                .admin()
                .get(&format!("service/?{query}&continuation_token={token}"))
                .await;
            assert_eq!(answer.status, 422, "{query} {token}");
        }
    }
    let past_the_end = server.admin().get("service/?limit=20&continuation_token=9").await;
    assert_eq!(past_the_end.body["services"], json!([]));
    // A token is worth nothing in another organization.
    let answer = server
        .stranger()
        .get("service/?sort_by=-name&continuation_token=1")
        .await;
    assert_invalid(&answer, &["query.continuation_token: unknown_token"]);
}

#[both_engines]
async fn the_parameters_of_a_list_of_services_are_checked(server: TestServer) {
    for (query, fault) in [
        ("id=x", "query.id.0: string_pattern_mismatch"),
        (&format!("id={UNKNOWN_ID}&id={UNKNOWN_ID}"), "query.id: unique"),
        ("id=", "query.id.0: string_pattern_mismatch"),
        ("is_active=perhaps", "query.is_active: type"),
    ] {
        assert_invalid(&server.admin().get(&format!("service/?{query}")).await, &[fault]);
    }
}

#[both_engines]
async fn a_list_has_only_what_the_caller_may_see_and_its_pages_stay_full(server: TestServer) {
    let (agent, graph) = binding(&server, 1).await;
    for number in 0..60 {
        let changes = json!({"tags": {"number": number.to_string()}});
        create(
            &server,
            with(service_body(&format!("s{number:02}"), &agent, &graph), &changes),
        )
        .await;
    }
    let visible = ["s00", "s17", "s58", "s59"];
    let caller = server.caller(vec![parsed_grant(
        "Service:GetService",
        json!({"service_name": {"type": "In", "values": visible}}),
    )]);
    for sort in [
        vec![],
        vec![Direction::Descending.of(SortKey::Name)],
        vec![
            Direction::Ascending.of(SortKey::IsActive),
            Direction::Ascending.of(SortKey::Name),
        ],
    ] {
        let mut found = Vec::new();
        let mut query = ListServices {
            sort: sort.clone(),
            limit: 2,
            ..everything()
        };
        loop {
            let page = services::list(forge_app::Ctx::new(&server.app, &caller), &query)
                .await
                .unwrap();
            let is_first = query.continuation_token == 0;
            assert_eq!(
                page.tags.map(|tags| tags.len()),
                is_first.then_some(visible.len())
            );
            assert_eq!(
                page.page.items.len(),
                2,
                "pages are filled after filtering, and none is empty"
            );
            found.extend(page.page.items.into_iter().map(|(service, _)| service.name));
            let Some(token) = page.page.continuation_token else {
                break;
            };
            query.continuation_token = token;
        }
        let mut expected = visible;
        if sort == [Direction::Descending.of(SortKey::Name)] {
            expected.reverse();
        }
        assert_eq!(found, expected);
    }
    let absent = json!({"version_set_name": {"type": "NotEquals", "value": "x"}});
    let caller = server.caller(vec![parsed_grant("Service:GetService", absent)]);
    assert!(
        services::list(forge_app::Ctx::new(&server.app, &caller), &everything())
            .await
            .unwrap()
            .page
            .items
            .is_empty()
    );
    let caller = server.caller(vec![]);
    let nothing = services::list(forge_app::Ctx::new(&server.app, &caller), &everything())
        .await
        .unwrap();
    assert_eq!(
        (
            nothing.page.items.len(),
            nothing.page.continuation_token,
            nothing.tags
        ),
        (0, None, Some(vec![]))
    );
}

#[both_engines]
async fn a_list_of_services_tells_what_those_sets_pin_that_the_caller_may_see(server: TestServer) {
    let id = server.service(2).await;
    put_set(&server, &id, "test", version_set(1, 2)).await;
    let list = async |grants: Vec<Grant>| {
        let page = services::list(
            forge_app::Ctx::new(&server.app, &server.caller(grants)),
            &everything(),
        )
        .await
        .unwrap()
        .page;
        let (_, sets) = &page.items[0];
        sets.iter().map(|set| set.name.to_string()).collect::<Vec<_>>()
    };
    let services = parsed_grant("Service:GetService", json!({}));
    assert_eq!(list(vec![services.clone()]).await, Vec::<String>::new());
    let only_test = json!({"version_set_name": {"type": "Equals", "value": "test"}});
    assert_eq!(
        list(vec![
            services.clone(),
            parsed_grant("Service:GetVersionSet", only_test)
        ])
        .await,
        ["test"]
    );
    let all = parsed_grant("Service:GetVersionSet", json!({}));
    assert_eq!(list(vec![services, all]).await, ["edge", "release", "test"]);
    let user = server.user(DefaultRole::User).await;
    assert_eq!(
        user.get("service/").await.body["services"][0]["version_sets"],
        json!({})
    );
}

#[both_engines]
async fn whoever_may_see_them_is_told_the_live_sets_by_name(server: TestServer) {
    let id = server.service(2).await;
    for set in ["test", "preview", "B", "gone"] {
        put_set(&server, &id, set, version_set(1, 2)).await;
    }
    delete_set(&server, &id, "gone").await;
    let user = server.user(DefaultRole::Administrator).await;
    let answer = user.get("service/").await;
    let sets = answer.body["services"][0]["version_sets"].as_object().unwrap();
    let names: Vec<&str> = sets.keys().map(String::as_str).collect();
    assert_eq!(names, ["B", "edge", "preview", "release", "test"]);
    assert_eq!(sets["test"], version_set(1, 2));
}
