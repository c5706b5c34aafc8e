//! Lists of conversations and of messages: filters, order, pages.

use forge_domain::access::DefaultRole;
use forge_testkit::{TestClient, both_engines};
use serde_json::{Value, json};

use super::{create, finish, say};

/// Returns the values of a field of every row of a list, read in pages.
async fn all(client: &TestClient, path: &str, list: &str, field: &str) -> Vec<Value> {
    let (mut found, mut token) = (Vec::new(), json!(0));
    loop {
        let separator = if path.contains('?') { '&' } else { '?' };
        let page = client
            .get(&format!("{path}{separator}continuation_token={token}"))
            .await;
        assert_eq!(page.status, 200, "{}", page.body);
        let rows = page.body[list].as_array().unwrap();
        found.extend(rows.iter().map(|row| row[field].clone()));
        assert!(found.len() < 1000, "paging ends");
        token = page.body["continuation_token"].clone();
        assert_eq!(page.body["has_more"], !token.is_null());
        if token.is_null() {
            return found;
        }
    }
}

async fn ids(client: &TestClient, query: &str) -> Vec<String> {
    let found = all(client, &format!("conversation/{query}"), "conversations", "id").await;
    found.iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

#[both_engines]
async fn conversations_are_filtered_sorted_and_paged(server: TestServer) {
    let (admin, user) = (server.admin(), server.user(DefaultRole::User).await);
    let (one, two) = (server.service(1).await, server.service(1).await);
    let a = create(admin, &one, json!({"tags": {"team": "care", "flag": null}}))
        .await
        .conversation();
    server.clock.advance_seconds(1);
    let b = create(admin, &two, json!({"tags": {"team": "sales"}}))
        .await
        .conversation();
    server.clock.advance_seconds(1);
    let c = create(&user, &one, json!({})).await.conversation();
    finish(admin, &b).await;
    for (query, expected) in [
        (String::new(), vec![&a, &b, &c]),
        ("?limit=1".to_owned(), vec![&a, &b, &c]),
        ("?limit=2&sort_by=-created_at".to_owned(), vec![&c, &b, &a]),
        ("?sort_by=%2Bcreated_at".to_owned(), vec![&a, &b, &c]),
        (format!("?user_id={}", user.user_id), vec![&c]),
        (
            format!("?user_id={}&user_id={}&limit=1", user.user_id, admin.user_id),
            vec![&a, &b, &c],
        ),
        (format!("?service_id={one}&limit=1"), vec![&a, &c]),
        (format!("?service_id={one}&service_id={two}"), vec![&a, &b, &c]),
        ("?is_finished=true".to_owned(), vec![&b]),
        ("?is_finished=false".to_owned(), vec![&a, &c]),
        (format!("?id={c}&id={a}&limit=1"), vec![&a, &c]),
        (format!("?id={c}&id={a}&sort_by=-created_at"), vec![&c, &a]),
        (format!("?id={c}&id={a}&service_id={two}"), vec![]),
        ("?tag=team:care".to_owned(), vec![&a]),
        ("?tag=team:*&limit=1".to_owned(), vec![&a, &b]),
        ("?tag=team:*&tag=flag:".to_owned(), vec![&a]),
    ] {
        let found = ids(admin, &query).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    for query in [
        "?limit=0",
        "?limit=151",
        "?sort_by=created_at",
        "?sort_by=-user_id",
        "?tag=team",
        "?id=x",
        "?continuation_token=-1",
        "?continuation_token=99999",
    ] {
        assert_eq!(
            admin.get(&format!("conversation/{query}")).await.status,
            422,
            "{query}"
        );
    }
}

#[both_engines]
async fn users_are_told_and_sorted_by_their_conversations(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(1).await);
    let (quiet, one, two) = (
        server.user(DefaultRole::User).await,
        server.user(DefaultRole::User).await,
        server.user(DefaultRole::User).await,
    );
    let id = create(&one, &service, json!({})).await.conversation();
    server.clock.advance_seconds(60);
    say(&one, &id, "Hello").await;
    let id = create(&two, &service, json!({})).await.conversation();
    finish(&two, &id).await;
    create(&two, &service, json!({})).await.conversation();
    let stats =
        admin.get(&format!("user/?user_id={}", one.user_id)).await.body["users"][0]["user_stats"].clone();
    assert_eq!(
        stats,
        json!({"num_conversations": 1, "num_messages": 3, "last_message_time": "2026-11-23T12:01:00.000Z"})
    );
    let order = async |query: &str| all(admin, &format!("user/?limit=1&{query}"), "users", "user_id").await;
    let [quiet, one, two] = [&quiet, &one, &two].map(|user| json!(user.user_id));
    let conversations = order("sort_by=-user_stats.num_conversations").await;
    assert_eq!(conversations[..2], [two.clone(), one.clone()]);
    assert_eq!(conversations.len(), 4);
    assert_eq!(
        order("sort_by=-user_stats.num_messages").await[..2],
        [one.clone(), two.clone()]
    );
    let last = order("sort_by=%2Buser_stats.last_message_time&sort_by=-user_stats.num_messages").await;
    assert_eq!(last[2..], [one.clone(), two.clone()]);
    let named = format!(
        "user_id={}&user_id={}&user_id={}",
        quiet.as_str().unwrap(),
        two.as_str().unwrap(),
        one.as_str().unwrap()
    );
    let some = order(&format!("{named}&sort_by=-user_stats.num_messages")).await;
    assert_eq!(some, [one, two, quiet]);
}

#[both_engines]
async fn messages_are_filtered_sorted_and_paged(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(1).await);
    let started = create(admin, &service, json!({})).await;
    let id = started.conversation();
    server.clock.advance_seconds(1);
    let said = say(admin, &id, "One.").await;
    server.clock.advance_seconds(1);
    say(admin, &id, "Two.").await;
    let base = format!("conversation/{id}/messages/");
    let texts = async |query: &str| all(admin, &format!("{base}{query}"), "messages", "message").await;
    let everything = texts("").await;
    assert_eq!(everything.len(), 5);
    assert_eq!(texts("?limit=1").await, everything);
    assert_eq!(texts("?limit=2&sort_by=%2Bcreated_at").await, everything);
    let newest = texts("?limit=2&sort_by=-created_at").await;
    assert_eq!(newest.len(), 5);
    assert_eq!(
        (&newest[0], &newest[4]),
        (&json!("Two."), &everything[0]),
        "equal times stay in order"
    );
    assert_eq!(
        texts("?message_type=user-message&limit=1").await,
        [json!("One."), json!("Two.")]
    );
    let interaction = said.interaction();
    assert_eq!(texts(&format!("?interaction_id={interaction}")).await.len(), 2);
    assert_eq!(
        texts("?sort_by=-interaction_id&sort_by=%2Bcreated_at&limit=1")
            .await
            .len(),
        5
    );
    let message = said.events("user-message-available")[0]["message_id"]
        .as_str()
        .unwrap();
    assert_eq!(texts(&format!("?id={message}")).await, [json!("One.")]);
    let rows = admin.get(&base).await.body;
    assert_eq!(rows["messages"][1]["format"], "text");
    assert_eq!(rows["messages"][1]["interaction_id"], json!(interaction));
    for query in [
        "?limit=0",
        "?limit=501",
        "?sort_by=%2Bsender",
        "?message_type=shout",
        "?continuation_token=99",
    ] {
        assert_eq!(admin.get(&format!("{base}{query}")).await.status, 422, "{query}");
    }
}

#[both_engines]
async fn pages_are_filled_after_what_the_caller_may_not_see_is_left_out(server: TestServer) {
    let (admin, user) = (server.admin(), server.user(DefaultRole::User).await);
    let mut own = Vec::new();
    for number in 0..6 {
        let service = server.service(1).await;
        create(admin, &service, json!({})).await.conversation();
        if number % 2 == 0 {
            own.push(create(&user, &service, json!({})).await.conversation());
        }
    }
    assert_eq!(ids(&user, "?limit=2").await, own);
    assert_eq!(ids(&user, "?limit=1&sort_by=-created_at").await.len(), 3);
    assert_eq!(ids(admin, "?limit=4").await.len(), 9);
    assert_eq!(ids(server.stranger(), "").await, Vec::<String>::new());
}
