//! Pages of sorted lists while their rows move: a page goes on where the one before it ended.

mod rows;
mod tokens;

use forge_testkit::{Dice, TestResponse, TestServer};
use serde_json::{Value, json};

use crate::simulation::{SETS, TESTS, World, set_body};
use crate::support::items;

const PERSONAS: &str = "simulation/persona/";

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
