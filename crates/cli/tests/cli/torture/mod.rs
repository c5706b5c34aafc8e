//! The server is killed in the middle of writes, again and again, and must come back with everything that it answered,
//! and with nothing by halves.
//!
//! Clients move the sets of a few services; each call has a message of its own, by which it is found in the history
//! afterwards. `FORGE_TORTURE_SECONDS` says how long this goes on; 0 stands for no end.

mod call;
mod check;
mod client;

use std::sync::Arc;

use forge_testkit::{Budget, Dice, Engine, TestDatabase, agent_version, context_graph_version, service_body};
use serde_json::json;
use tokio::sync::mpsc;

use crate::process::{Serving, init, location};
use crate::serve::sign_in;
use call::{AGENT_VERSIONS, Call, Done, GRAPH_VERSIONS, SERVICES, SETS};
use check::State;
use client::Client;

/// How many clients call at once.
const CLIENTS: usize = 6;

/// How often a server is killed before the next one starts on an empty folder: what is looked at after each kill grows.
const KILLS: usize = 12;

/// One installation, and everything that was asked of it.
struct World {
    database: TestDatabase,
    credentials: serde_json::Value,
    services: Vec<String>,
    done: Vec<Done>,
    calls: u64,
    /// How many calls were not answered and had been carried out all the same.
    carried_out: usize,
    /// What the audit log ended with when it was last looked at.
    head: Option<String>,
}

impl World {
    async fn new() -> (Self, Serving) {
        let database = TestDatabase::start(Engine::Sqlite).await;
        let location = location(&database);
        let credentials = init("acme", &location);
        let server = Serving::start_without_rate_limits(&location);
        let mut world = Self {
            database,
            credentials,
            services: Vec::new(),
            done: Vec::new(),
            calls: 0,
            carried_out: 0,
            head: None,
        };
        let client = world.client(&server).await;
        let agent = client
            .create("organization/agent", json!({"agent_name": "Mira"}))
            .await;
        for _ in 0..AGENT_VERSIONS {
            client
                .post(&format!("organization/agent/{agent}/"), agent_version())
                .await;
        }
        let graphs = "organization/service_hierarchical_state_machine";
        let graph = client.create(graphs, json!({"state_machine_name": "Care"})).await;
        for _ in 0..GRAPH_VERSIONS {
            client
                .post(&format!("{graphs}/{graph}/"), context_graph_version())
                .await;
        }
        for number in 0..SERVICES {
            let body = service_body(&format!("Service {number}"), &agent, &graph);
            world.services.push(client.create("service/", body).await);
        }
        let client = world.client(&server).await;
        for service in 0..SERVICES {
            for set in SETS {
                let call = Call::first(service, set);
                let outcome = client.call(&call).await;
                world.done.push(Done { call, outcome });
            }
        }
        (world, server)
    }

    async fn client(&self, server: &Serving) -> Client {
        Client {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            token: sign_in(&server.address, &self.credentials).await,
            base: format!("{}/v1/acme", server.address),
            services: self.services.clone(),
        }
    }

    /// Lets clients write and kills the server once so many calls were answered and a little more.
    async fn torture(&mut self, server: Serving, dice: &mut Dice) {
        let client = Arc::new(self.client(&server).await);
        let (sender, mut done) = mpsc::unbounded_channel();
        for _ in 0..CLIENTS {
            let (client, sender, mut dice) = (Arc::clone(&client), sender.clone(), dice.split());
            let first = self.calls;
            // Nobody makes so many calls before the server is dead.
            self.calls += 1_000_000;
            tokio::spawn(async move {
                for number in first.. {
                    let call = Call::any(&mut dice, number);
                    let outcome = client.call(&call).await;
                    let is_end = outcome.is_unanswered();
                    if sender.send(Done { call, outcome }).is_err() || is_end {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for _ in 0..dice.within(1, 80) {
            self.done.push(done.recv().await.unwrap());
        }
        // Calls are answered when a write has ended. The moment in question lies anywhere within one.
        tokio::time::sleep(std::time::Duration::from_micros(dice.below(8000))).await;
        server.signal("KILL");
        while let Some(done) = done.recv().await {
            self.done.push(done);
        }
        let (_, log) = server.wait();
        assert!(!log.contains("ERROR") && !log.contains("panicked"), "{log}");
    }

    /// Starts the server again and looks at everything.
    async fn recover(&mut self, dice: &mut Dice) -> Serving {
        if dice.one_in(2) {
            // What the dead server left behind can be read as it is.
            check::verify_audit_log(&self.database, self.head.as_deref());
        }
        let server = Serving::start_without_rate_limits(&location(&self.database));
        let client = self.client(&server).await;
        let state = State::read(&client, &self.database).await;
        state.check(&self.done);
        let unanswered: Vec<usize> = (0..self.done.len())
            .filter(|index| self.done[*index].outcome.is_unanswered())
            .collect();
        // Who was not answered asks again, and nothing happens twice.
        for index in unanswered {
            let call = &self.done[index].call;
            if call.can_be_repeated() {
                self.carried_out += usize::from(state.has(call));
                let outcome = client.call(call).await;
                assert!(!outcome.is_unanswered(), "{call:?}");
                self.done[index].outcome = outcome;
            }
        }
        let state = State::read(&client, &self.database).await;
        state.check(&self.done);
        check::verify_audit_log(&self.database, self.head.as_deref());
        self.head = Some(state.head);
        server
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_loses_nothing_that_it_answered_and_leaves_nothing_by_halves() {
    let budget = Budget::from_variable("FORGE_TORTURE_SECONDS", 6);
    let seed = Dice::seed();
    let mut dice = Dice::new(seed);
    let (mut kills, mut calls, mut carried_out) = (0, 0, 0);
    tell(&format!("seed {seed}"));
    while kills == 0 || !budget.is_used_up() {
        let (mut world, mut server) = World::new().await;
        for _ in 0..KILLS {
            world.torture(server, &mut dice).await;
            server = world.recover(&mut dice).await;
            kills += 1;
            if budget.is_used_up() {
                break;
            }
        }
        server.stop();
        calls += world.done.len();
        carried_out += world.carried_out;
        tell(&format!(
            "{kills} kills, {calls} calls, {carried_out} carried out without an answer"
        ));
    }
}

/// Shows how far it is, to whoever runs it with its output.
#[expect(clippy::print_stdout, reason = "the output of a test")]
fn tell(text: &str) {
    println!("{text}");
}
