//! The list of grants.

use forge_domain::access::DefaultRole;
use forge_testkit::{TestClient, both_engines};
use serde_json::{Value, json};

use super::{CREATE, LIST, assign, body, given, ids};
use crate::support::assertions::assert_invalid_at;
use crate::support::grants::{any, equals, grant};
use crate::support::ids::UNKNOWN_ID;

#[both_engines]
async fn a_list_shows_all_of_a_grant(server: TestServer) {
    let admin = server.admin();
    let granted = grant("Organization:GetAgent", &equals("agent_name", "Mira"));
    let mut body = body(&admin.user_id, &granted, "P1D");
    body["tags"] = json!({"team": "care", "urgent": null});
    let id = given(&admin.post(CREATE, body).await);
    let found = admin.get(LIST).await;
    assert_eq!(
        found.body["temporary_permission_grants"],
        json!([{
            "_id": id, "org_id": admin.organization, "user_id": admin.user_id, "permission_grant": granted,
            "created_at": "2026-11-23T12:00:00.000Z", "updated_at": "2026-11-23T12:00:00.000Z",
            "expires_at": "2026-11-24T12:00:00.000Z", "justification": "to help out",
            "creator": {"org_id": admin.organization, "user_id": admin.user_id},
            "tags": {"team": "care", "urgent": null},
        }])
    );
    assert!(
        server
            .user(DefaultRole::Administrator)
            .await
            .get(LIST)
            .await
            .shows_nothing()
    );
    assert_eq!(ids(server.stranger(), "").await, Vec::<String>::new());
}

#[both_engines]
async fn a_list_is_narrowed_by_every_filter(server: TestServer) {
    let admin = server.admin();
    let [ada, bob] = [
        server.user(DefaultRole::User).await,
        server.user(DefaultRole::User).await,
    ];
    let giver = server.user(DefaultRole::AmigoAdministrator).await;
    let tagged = |user: &TestClient, permission: &str, duration: &str, tags: Value| {
        let mut body = body(&user.user_id, &any(permission), duration);
        body["tags"] = tags;
        body
    };
    let (read, make) = ("Organization:GetAgent", "Organization:CreateAgent");
    let a = given(
        &admin
            .post(CREATE, tagged(&ada, read, "PT10M", json!({"team": "care"})))
            .await,
    );
    let b = given(
        &giver
            .post(CREATE, tagged(&ada, make, "PT20M", json!({"team": "sales"})))
            .await,
    );
    let tags = json!({"team": null, "x": "1"});
    let c = given(&admin.post(CREATE, tagged(&bob, read, "PT30M", tags)).await);
    let (ada, bob, giver) = (&ada.user_id, &bob.user_id, &giver.user_id);
    server.clock.advance_seconds(600);
    for (query, expected) in [
        (String::new(), vec![&a, &b, &c]),
        (format!("id={a}&id={c}"), vec![&a, &c]),
        (format!("id={UNKNOWN_ID}"), vec![]),
        (format!("user_id={ada}"), vec![&a, &b]),
        (format!("user_id={ada}&user_id={bob}&limit=1"), vec![&a, &b, &c]),
        (format!("creator={giver}"), vec![&b]),
        (format!("permission_grant_name={read}"), vec![&a, &c]),
        ("is_expired=true".to_owned(), vec![&a]),
        ("is_expired=false".to_owned(), vec![&b, &c]),
        ("tag=team:care".to_owned(), vec![&a]),
        ("tag=team:*&limit=1".to_owned(), vec![&a, &b, &c]),
        ("tag=team:".to_owned(), vec![&c]),
        ("tag=team:*&tag=x:1".to_owned(), vec![&c]),
        (
            format!("user_id={ada}&is_expired=false&creator={giver}&tag=team:sales"),
            vec![&b],
        ),
        (format!("user_id={bob}&permission_grant_name={make}"), vec![]),
    ] {
        assert_eq!(
            ids(admin, &query).await.iter().collect::<Vec<_>>(),
            expected,
            "{query}"
        );
    }
    for query in [
        "id=unknown",
        "tag=team",
        "is_expired=x",
        "limit=11",
        "limit=-1",
        "sort_by=user_id",
        "sort_by=-tags",
        "continuation_token=999999",
    ] {
        let place = format!("query.{}", query.split('=').next().unwrap());
        assert_invalid_at(&admin.get(&format!("{LIST}?{query}")).await, &place);
    }
}

#[both_engines]
async fn a_list_has_every_grant_once_in_the_order_asked_for(server: TestServer) {
    let admin = server.admin();
    let users = [
        server.user(DefaultRole::User).await,
        server.user(DefaultRole::User).await,
    ];
    let mut given_ones = Vec::new();
    for number in 0..12 {
        let user = &users[number % 2].user_id;
        let names = [
            "Organization:GetAgent",
            "Organization:CreateAgent",
            "Service:GetService",
        ];
        let name = names[number % 3];
        let minutes = 10 + (number * 7) % 5;
        let id = given(
            &admin
                .post(CREATE, body(user, &any(name), &format!("PT{minutes}M")))
                .await,
        );
        given_ones.push((user.as_str(), name, minutes, id));
    }
    let expected = |rows: &[(&str, &str, usize, String)]| -> Vec<String> {
        rows.iter().map(|row| row.3.clone()).collect()
    };
    for limit in [1, 5, 10] {
        assert_eq!(ids(admin, &format!("limit={limit}")).await, expected(&given_ones));
        let mut sorted = given_ones.clone();
        sorted.sort_by_key(|row| (row.0, std::cmp::Reverse(row.2)));
        let query = format!("limit={limit}&sort_by=%2Buser_id&sort_by=-expires_at");
        assert_eq!(ids(admin, &query).await, expected(&sorted));
        sorted.clone_from(&given_ones);
        sorted.sort_by_key(|row| std::cmp::Reverse(row.1));
        let query = format!("limit={limit}&sort_by=-permission_grant.permission_name");
        assert_eq!(ids(admin, &query).await, expected(&sorted));
    }
}

#[both_engines]
async fn grants_that_end_between_two_pages_neither_hide_others_nor_repeat(server: TestServer) {
    let admin = server.admin();
    let [ada, bob] = [
        server.user(DefaultRole::Administrator).await,
        server.user(DefaultRole::User).await,
    ];
    let mut expected = Vec::new();
    for (user, minutes) in [(&bob, 10), (&ada, 20), (&bob, 30)] {
        let body = body(
            &user.user_id,
            &any("Service:GetService"),
            &format!("PT{minutes}M"),
        );
        expected.push(given(&admin.post(CREATE, body).await));
    }
    let first = admin.get(&format!("{LIST}?limit=2&sort_by=%2Bexpires_at")).await;
    assert_eq!(assign(admin, "DefaultUserRole", &ada).await.status, 200);
    let token = &first.body["continuation_token"];
    let second = admin
        .get(&format!(
            "{LIST}?limit=2&sort_by=%2Bexpires_at&continuation_token={token}"
        ))
        .await;
    let told = [first, second].map(|page| {
        page.body["temporary_permission_grants"]
            .as_array()
            .unwrap()
            .clone()
    });
    let told: Vec<_> = told
        .concat()
        .iter()
        .map(|grant| grant["_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(told, expected);
}
