//! Pages of sorted lists while their rows move: a page goes on where the one before it ended.

use forge_app::{OpenMode, Store};
use forge_testkit::{Dice, Engine, TestDatabase, TestResponse, TestServer, both_engines};
use serde_json::{Value, json};

use crate::conversations;
use crate::simulation::{SETS, TESTS, World, set_body};
use crate::support::assertions::assert_invalid;
use crate::support::items;

const PERSONAS: &str = "simulation/persona/";

const UNKNOWN_TOKEN: &str = "query.continuation_token: unknown_token";

/// A list whose rows can move.
#[derive(Debug, Clone, Copy, PartialEq)]
enum List {
    Services,
    Users,
    Personas,
    UnitTests,
    UnitTestSets,
}

/// How many things a test has created so far, so that each has a name of its own.
#[derive(Default)]
struct Created(u32);

impl List {
    fn path(self) -> &'static str {
        match self {
            Self::Services => "service/",
            Self::Users => "user/",
            Self::Personas => PERSONAS,
            Self::UnitTests => TESTS,
            Self::UnitTestSets => SETS,
        }
    }

    /// Returns the query that leaves out what was deleted, where that is not left out anyway.
    fn query(self) -> &'static str {
        match self {
            Self::Services | Self::Users => "",
            Self::Personas | Self::UnitTests | Self::UnitTestSets => "&is_deleted=false",
        }
    }

    fn orders(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Services => &[
                &["+name"],
                &["-name"],
                &["-is_active", "+name"],
                &["+is_active"],
                &[],
            ],
            Self::Users => &[
                &["+first_name", "-last_name"],
                &["-email"],
                &["-user_stats.num_messages"],
                &[],
            ],
            Self::Personas | Self::UnitTests | Self::UnitTestSets => {
                &[&["+updated_at"], &["-updated_at"], &[]]
            }
        }
    }

    fn ids(self, body: &Value) -> Vec<String> {
        let (rows, id) = match self {
            Self::Services => ("services", "id"),
            Self::Users => ("users", "user_id"),
            Self::Personas => ("simulation_personas", "id"),
            Self::UnitTests => ("simulation_unit_tests", "id"),
            Self::UnitTestSets => ("simulation_unit_test_sets", "id"),
        };
        let rows = body[rows]
            .as_array()
            .unwrap_or_else(|| panic!("no {rows} in {body}"));
        rows.iter()
            .map(|row| row[id].as_str().unwrap().to_owned())
            .collect()
    }

    async fn page(self, server: &TestServer, order: &[&str], limit: u64, token: &Value) -> TestResponse {
        let keys = order
            .iter()
            .map(|key| format!("&sort_by={}", key.replace('+', "%2B")));
        let keys = keys.collect::<Vec<_>>().concat();
        let path = format!(
            "{}?limit={limit}&continuation_token={token}{keys}{}",
            self.path(),
            self.query()
        );
        server.admin().get(&path).await
    }

    async fn create(self, server: &TestServer, world: &World, dice: &mut Dice, created: &mut Created) {
        created.0 += 1;
        let (number, letter) = (created.0, dice.pick(&["a", "b", "c"]));
        let body = match self {
            Self::Services => {
                let known = server
                    .admin()
                    .get(&format!("service/?id={}", world.service))
                    .await;
                let known = &known.body["services"][0];
                let parts = [
                    &known["agent_id"],
                    &known["service_hierarchical_state_machine_id"],
                ];
                let [agent, graph] = parts.map(|id| id.as_str().unwrap());
                forge_testkit::service_body(&format!("{letter}{number}"), agent, graph)
            }
            Self::Users => json!({"first_name": letter, "last_name": dice.pick(&["x", "y"]),
                "email": format!("{letter}{number}@example.com"), "role_name": "DefaultUserRole"}),
            Self::Personas => items::persona_body(&format!("{letter}{number}")),
            Self::UnitTests => world.body(&format!("{letter}{number}")),
            Self::UnitTestSets => {
                let tests = server.admin().get(&format!("{TESTS}?limit=1")).await;
                set_body(
                    &format!("{letter}{number}"),
                    &[(&Self::UnitTests.ids(&tests.body)[0], 1)],
                )
            }
        };
        let answer = server.admin().post(self.path(), body).await;
        assert_eq!(answer.status, 201, "{self:?}: {}", answer.body);
    }

    /// Moves a row, or takes it away.
    async fn change(self, server: &TestServer, id: &str, dice: &mut Dice, created: &mut Created) {
        created.0 += 1;
        let (number, letter) = (created.0, dice.pick(&["a", "b", "c"]));
        let change = match self {
            Self::Services if dice.one_in(2) => json!({"is_active": dice.one_in(2)}),
            Self::Services => json!({"name": format!("{letter}{number}")}),
            _ if dice.one_in(4) => Value::Null,
            Self::Users => json!({"first_name": letter, "last_name": format!("y{number}")}),
            Self::Personas => json!({"tags": {"touched": number.to_string()}}),
            Self::UnitTests | Self::UnitTestSets => json!({"description": format!("touched {number}")}),
        };
        let path = match self {
            Self::Users | Self::UnitTestSets => format!("{}{id}", self.path()),
            _ => format!("{}{id}/", self.path()),
        };
        let answer = if change.is_null() {
            server.admin().delete(&path).await
        } else {
            server.admin().post(&path, change).await
        };
        assert!(answer.status.is_success(), "{self:?}: {}", answer.body);
    }

    /// Reads the list page by page while rows are created, moved and taken away, and asserts that those that kept their
    /// places come exactly once, and in order.
    async fn read_while_it_changes(
        self,
        server: &TestServer,
        world: &World,
        order: &[&str],
        dice: &mut Dice,
    ) {
        world.test(server, "what sets run").await;
        let mut created = Created(u32::try_from(dice.below(1_000_000)).unwrap() * 1000);
        for _ in 0..8 {
            server.clock.advance_seconds(dice.within(0, 1));
            self.create(server, world, dice, &mut created).await;
        }
        let before = self.ids(&self.page(server, order, 20, &json!(0)).await.body);
        let (mut moved, mut seen) = (Vec::new(), Vec::new());
        let mut token = json!(0);
        let limit = 1 + dice.below(3);
        while !token.is_null() {
            let page = self.page(server, order, limit, &token).await;
            assert_eq!(page.status, 200, "{}", page.body);
            let rows = self.ids(&page.body);
            token = page.body["continuation_token"].clone();
            assert_eq!(page.body["has_more"], json!(!token.is_null()));
            assert!(token.is_null() || token.as_u64().unwrap() < 1 << 53, "{token}");
            for _ in 0..dice.below(3) {
                server.clock.advance_seconds(dice.within(0, 1));
                if dice.one_in(3) {
                    self.create(server, world, dice, &mut created).await;
                    continue;
                }
                // The row where the page ended, or any other that is there and not the administrator's own.
                let candidates = self.ids(&self.page(server, &[], 20, &json!(0)).await.body);
                let last = rows.last().filter(|_| dice.one_in(2)).cloned();
                let id = last.unwrap_or_else(|| dice.pick(&candidates));
                let is_first = candidates.first() == Some(&id);
                // A user who was deleted is forgotten in the places of pages, too; another test tells what comes of it.
                let is_needed =
                    self == Self::Users && (Some(&id) == rows.last() || id == server.admin().user_id);
                if candidates.contains(&id) && !is_first && !is_needed {
                    self.change(server, &id, dice, &mut created).await;
                    moved.push(id);
                }
            }
            seen.extend(rows);
            assert!(seen.len() < 500, "paging ends");
        }
        let kept = |rows: &[String]| -> Vec<String> {
            rows.iter().filter(|id| !moved.contains(id)).cloned().collect()
        };
        let were_there: Vec<String> = kept(&seen).into_iter().filter(|id| before.contains(id)).collect();
        assert_eq!(were_there, kept(&before), "{self:?} by {order:?}, {limit} a page");
    }
}

#[expect(clippy::print_stdout, reason = "the output of a test")]
fn tell(seed: u64) {
    println!("FORGE_TEST_SEED={seed}");
}

/// Returns the names of what a page has.
fn names(page: &TestResponse, rows: &str) -> Vec<String> {
    assert_eq!(page.status, 200, "{}", page.body);
    let rows = page.body[rows].as_array().unwrap().iter();
    rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

/// Creates services of these names and returns their ids.
async fn services(server: &TestServer, names: &[&str]) -> Vec<String> {
    let (agent, graph) = (server.agent(1).await, server.context_graph(1).await);
    let mut ids = Vec::new();
    for name in names {
        let body = forge_testkit::service_body(name, &agent, &graph);
        ids.push(server.admin().post("service/", body).await.id());
    }
    ids
}

#[both_engines]
async fn every_row_that_keeps_its_place_is_read_exactly_once(server: TestServer) {
    let seed = Dice::seed();
    tell(seed);
    for list in [
        List::Services,
        List::Users,
        List::Personas,
        List::UnitTests,
        List::UnitTestSets,
    ] {
        for order in list.orders() {
            // Each on a server of its own: a page may show 20 at most, and all rows are to be on one.
            let mut dice = Dice::new(seed).split();
            let own = TestServer::start(server.engine).await;
            let own_world = World::new(&own).await;
            list.read_while_it_changes(&own, &own_world, order, &mut dice)
                .await;
        }
    }
}

#[both_engines]
async fn a_page_goes_on_where_the_last_ended_though_its_row_was_renamed(server: TestServer) {
    let all = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let ids = services(&server, &all).await;
    let admin = server.admin();
    let first = admin.get("service/?limit=3&sort_by=+name").await;
    assert_eq!(names(&first, "services"), all[..3]);
    assert_eq!(
        admin
            .post(&format!("service/{}/", ids[2]), json!({"name": "zz"}))
            .await
            .status,
        200
    );
    let token = &first.body["continuation_token"];
    let next = admin
        .get(&format!(
            "service/?limit=20&sort_by=+name&continuation_token={token}"
        ))
        .await;
    assert_eq!(names(&next, "services"), ["d", "e", "f", "g", "h", "i", "zz"]);

    let first = admin
        .get("service/?limit=3&sort_by=-is_active&sort_by=+name")
        .await;
    assert_eq!(names(&first, "services"), ["a", "b", "d"]);
    assert_eq!(
        admin
            .post(&format!("service/{}/", ids[3]), json!({"is_active": false}))
            .await
            .status,
        200
    );
    let token = &first.body["continuation_token"];
    let path = format!("service/?limit=20&sort_by=-is_active&sort_by=+name&continuation_token={token}");
    assert_eq!(
        names(&admin.get(&path).await, "services"),
        ["e", "f", "g", "h", "i", "zz", "d"]
    );
}

#[both_engines]
async fn a_page_goes_on_where_the_last_ended_though_its_row_was_touched(server: TestServer) {
    let world = World::new(&server).await;
    let mut ids = Vec::new();
    for number in 0..9 {
        server.clock.advance_seconds(1);
        ids.push(world.test(&server, &format!("t{number}")).await);
    }
    server.clock.advance_seconds(1);
    for (order, first, rest) in [
        (
            "%2Bupdated_at",
            ["t0", "t1", "t2"],
            vec!["t3", "t4", "t5", "t6", "t7", "t8", "t2"],
        ),
        (
            "-updated_at",
            ["t2", "t8", "t7"],
            vec!["t6", "t5", "t4", "t3", "t1", "t0"],
        ),
    ] {
        let page = server
            .admin()
            .get(&format!("{TESTS}?limit=3&sort_by={order}"))
            .await;
        assert_eq!(names(&page, "simulation_unit_tests"), first);
        let last: usize = first[2][1..].parse().unwrap();
        let touched = server
            .admin()
            .post(&format!("{TESTS}{}/", ids[last]), json!({"description": order}))
            .await;
        assert_eq!(touched.status, 204, "{}", touched.body);
        let token = &page.body["continuation_token"];
        let path = format!("{TESTS}?sort_by={order}&continuation_token={token}");
        assert_eq!(
            names(&server.admin().get(&path).await, "simulation_unit_tests"),
            rest
        );
    }
}

#[both_engines]
async fn a_page_of_users_goes_on_though_the_last_one_talked_meanwhile(server: TestServer) {
    let service = server.service(1).await;
    let mut users = Vec::new();
    for _ in 0..4 {
        users.push(server.user(forge_domain::access::DefaultRole::User).await);
    }
    let path = "user/?sort_by=%2Buser_stats.num_conversations&limit=3";
    let page = server.admin().get(path).await;
    let ids = List::Users.ids(&page.body);
    let last = users.iter().find(|user| user.user_id == ids[2]).unwrap();
    conversations::create(last, &service, json!({})).await;
    let token = &page.body["continuation_token"];
    let next = server
        .admin()
        .get(&format!(
            "user/?sort_by=%2Buser_stats.num_conversations&continuation_token={token}"
        ))
        .await;
    let next = List::Users.ids(&next.body);
    for user in &users {
        let times = ids.iter().chain(&next).filter(|id| **id == user.user_id).count();
        assert_eq!(
            times,
            if user.user_id == ids[2] { 2 } else { 1 },
            "who moved comes where they are now"
        );
    }
}

#[both_engines]
async fn rows_that_leave_a_filtered_list_take_no_others_with_them(server: TestServer) {
    let world = World::new(&server).await;
    for number in 0..3 {
        world.test(&server, &format!("t{number}")).await;
    }
    let path = format!("{TESTS}?limit=1&is_deleted=false");
    let page = server.admin().get(&path).await;
    let id = &List::UnitTests.ids(&page.body)[0];
    assert_eq!(server.admin().delete(&format!("{TESTS}{id}/")).await.status, 204);
    let token = &page.body["continuation_token"];
    let next = server
        .admin()
        .get(&format!("{path}&continuation_token={token}"))
        .await;
    assert_eq!(names(&next, "simulation_unit_tests"), ["t1"]);
}

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
