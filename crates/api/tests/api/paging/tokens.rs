//! The tokens of pages: where they are good, and for how long.

use forge_app::{OpenMode, Store};
use forge_testkit::{Engine, TestDatabase, TestServer, both_engines};
use serde_json::{Value, json};

use super::{List, PERSONAS, names, services};
use crate::simulation::TESTS;
use crate::support::assertions::assert_invalid;
use crate::support::items;

const UNKNOWN_TOKEN: &str = "query.continuation_token: unknown_token";

#[both_engines]
async fn a_token_is_good_for_its_list_its_order_and_its_caller_alone(server: TestServer) {
    let ids = services(&server, &["a", "b", "c"]).await;
    for name in ["one", "two"] {
        items::persona(&server, name).await;
    }
    let admin = server.admin();
    let page = admin.get("service/?limit=1&sort_by=-name").await;
    let token = page.body["continuation_token"].as_i64().unwrap();
    assert!(((1 << 52)..(1 << 53)).contains(&token), "{token}");
    let next = |query: &str| format!("service/?{query}&continuation_token={token}");
    assert_eq!(
        names(&admin.get(&next("limit=2&sort_by=-name")).await, "services"),
        ["b", "a"]
    );
    // The same page has the same token, and another limit or filter changes nothing about the place.
    let again = admin.get("service/?limit=1&sort_by=-name&sort_by=%2Bname").await;
    assert_eq!(again.body["continuation_token"], json!(token));
    assert_eq!(
        names(
            &admin.get(&next("sort_by=-name&is_active=true")).await,
            "services"
        ),
        ["b", "a"]
    );
    for path in [
        next("sort_by=%2Bname"),
        next("sort_by=-name&sort_by=-is_active"),
        next(""),
        format!("user/?sort_by=-first_name&continuation_token={token}"),
        format!("{PERSONAS}?sort_by=-updated_at&continuation_token={token}"),
        format!("{TESTS}?sort_by=-updated_at&continuation_token={token}"),
        format!("{TESTS}?continuation_token={token}"),
        format!("conversation/?sort_by=-created_at&continuation_token={token}"),
        format!("service/?sort_by=-name&continuation_token={}", token ^ 1),
        "service/?sort_by=-name&continuation_token=1".to_owned(),
        format!("service/?id={}&sort_by=-name&continuation_token=1", ids[0]),
    ] {
        assert_invalid(&admin.get(&path).await, &[UNKNOWN_TOKEN]);
    }
    let other = server
        .user(forge_domain::access::DefaultRole::Administrator)
        .await;
    assert_invalid(&other.get(&next("sort_by=-name")).await, &[UNKNOWN_TOKEN]);
    assert_invalid(
        &server.stranger().get(&next("sort_by=-name")).await,
        &[UNKNOWN_TOKEN],
    );
}

#[both_engines]
async fn the_end_of_a_page_is_forgotten_after_days_and_with_the_user_whose_name_it_has(server: TestServer) {
    for name in ["Ann", "Bob", "Cid"] {
        let body = json!({"first_name": name, "last_name": "0", "email": format!("{name}@example.com"),
            "role_name": "DefaultUserRole"});
        assert_eq!(server.admin().post("user/", body).await.status, 201);
    }
    let path = |sort: &str, token: &Value| format!("user/?limit=1&sort_by={sort}&continuation_token={token}");
    let by_name = server.admin().get(&path("%2Bfirst_name", &json!(0))).await;
    let by_stats = server
        .admin()
        .get(&path("%2Buser_stats.num_messages", &json!(0)))
        .await;
    let second = server
        .admin()
        .get(&path("%2Bfirst_name", &by_name.body["continuation_token"]))
        .await;
    let gone = List::Users.ids(&by_name.body);
    assert_eq!(
        server.admin().delete(&format!("user/{}", gone[0])).await.status,
        204
    );
    let answer = server
        .admin()
        .get(&path("%2Bfirst_name", &by_name.body["continuation_token"]))
        .await;
    assert_invalid(&answer, &[UNKNOWN_TOKEN]);
    for (sort, page) in [
        ("%2Bfirst_name", &second),
        ("%2Buser_stats.num_messages", &by_stats),
    ] {
        let next = server
            .admin()
            .get(&path(sort, &page.body["continuation_token"]))
            .await;
        assert_eq!(List::Users.ids(&next.body).len(), 1, "{}", next.body);
    }

    services(&server, &["a", "b", "c"]).await;
    let page = server.admin().get("service/?limit=1&sort_by=-name").await;
    let next = format!(
        "service/?sort_by=-name&continuation_token={}",
        page.body["continuation_token"]
    );
    let later = crate::support::organization::a_day_later(&server).await;
    assert_eq!(later.get(&next).await.status, 200);
    server.clock.advance_seconds(86_400);
    let later = crate::support::organization::a_day_later(&server).await;
    assert_invalid(&later.get(&next).await, &[UNKNOWN_TOKEN]);
}

#[both_engines]
async fn a_sorted_page_that_is_read_again_writes_nothing_and_no_page_takes_a_change_number(
    server: TestServer,
) {
    services(&server, &["a", "b", "c"]).await;
    let before = crate::support::organization::change_number(&server).await;
    let path = "service/?limit=1&sort_by=-name";
    let first = server.admin().get(path).await.body;
    let commits = server.app.store.shared_commits();
    assert_eq!(server.admin().get(path).await.body, first);
    assert_eq!(
        server.app.store.shared_commits().map(|shared| shared.writes),
        commits.map(|shared| shared.writes)
    );
    assert_eq!(crate::support::organization::change_number(&server).await, before);
}

/// The disk is full, say: what is read does not wait for it.
#[tokio::test]
async fn a_sorted_list_is_read_on_while_nothing_can_be_written() {
    let server = TestServer::start(Engine::Sqlite).await;
    // Names too long for the room that is left on the last page of the table.
    let names_of = |letter: &str| letter.repeat(1_024);
    let all = ["\u{20000}", "\u{20001}", "\u{20002}"].map(names_of);
    services(&server, &all.each_ref().map(String::as_str)).await;
    server.app.store.limit_pages(1).await.unwrap();
    let mut token = json!(0);
    for name in &all {
        let page = server
            .admin()
            .get(&format!(
                "service/?limit=1&sort_by=%2Bname&continuation_token={token}"
            ))
            .await;
        assert_eq!(names(&page, "services"), std::slice::from_ref(name));
        token = page.body["continuation_token"].clone();
    }
    assert!(token.is_null());
    let organization = server.admin().organization.parse().unwrap();
    let first = server.admin().get("service/?limit=1&sort_by=%2Bname").await;
    let token = first.body["continuation_token"].as_i64().unwrap();
    let mut tx = server.app.store.read().await.unwrap();
    assert_eq!(
        tx.find_page_cursor(&organization, token).await.unwrap(),
        None,
        "it could not be written"
    );
}

/// A token outlives its server, and other servers of the installation know it.
async fn is_known_everywhere(engine: Engine) {
    if !engine.is_available() {
        return;
    }
    let database = TestDatabase::start(engine).await;
    let server = TestServer::alone(&database).await;
    services(&server, &["a", "b", "c"]).await;
    let page = server.admin().get("service/?limit=1&sort_by=-name").await;
    let token = page.body["continuation_token"].as_i64().unwrap();
    let organization = server.admin().organization.parse().unwrap();
    server.app.store.close().await;
    drop(server);
    let store = Store::open(&database.url, OpenMode::CreateIfMissing)
        .await
        .unwrap();
    let mut tx = store.read().await.unwrap();
    let (cursor, _) = tx.find_page_cursor(&organization, token).await.unwrap().unwrap();
    assert_eq!((cursor.list.as_str(), cursor.position.seq), ("service", 3));
}

#[tokio::test]
async fn a_token_outlives_its_server_on_sqlite() {
    is_known_everywhere(Engine::Sqlite).await;
}

#[tokio::test]
async fn a_token_outlives_its_server_on_postgres() {
    is_known_everywhere(Engine::Postgres).await;
}
