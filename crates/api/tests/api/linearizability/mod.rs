//! Promotions, rollbacks, upserts, deletions and reads of one set at once look as if they came one after another.
//!
//! In each round, several clients talk to a real server about the sets of a new service. What they asked and were
//! answered, and when, is then held against a sequential model by a checker that tries every order in question
//! (Wing & Gong's algorithm with Lowe's memory of what it has tried). Change numbers are part of the answers, so the
//! order that the checker finds is the order that the server claims.
//!
//! `FORGE_LINEARIZABILITY_SECONDS` says how long this goes on for each engine.

mod call;
mod client;
mod history;
mod model;
mod rejected;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use call::{Answer, Call, Seen, VERSIONS};
use client::Client;
use forge_testkit::{Budget, Dice, TestServer, both_engines, service_body};
use history::{Line, Recorder};
use todc_utils::Action;
use tokio::net::TcpListener;

use crate::support::organization::change_number;

/// How many clients call at once.
const CLIENTS: usize = 8;

/// How many calls each of them makes in a round.
const CALLS: usize = 12;

/// How long a client waits for an answer that it means to wait for.
const PATIENCE: Duration = Duration::from_mins(1);

/// One server on which rounds take place.
struct World {
    server: TestServer,
    agent: String,
    graph: String,
}

impl World {
    async fn new(server: TestServer) -> Self {
        let versions = usize::try_from(VERSIONS).unwrap();
        Self {
            agent: server.agent(versions).await,
            graph: server.context_graph(versions).await,
            server,
        }
    }

    /// Plays a round on a new service and returns its history.
    async fn round(&self, number: usize, dice: &mut Dice) -> Vec<Line> {
        let admin = self.server.admin();
        let body = service_body(&format!("round {number}"), &self.agent, &self.graph);
        // This write waits for the end of what clients of the round before gave up.
        let service = admin.post("service/", body).await.id();
        let base = change_number(&self.server).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let stopping = async {
            let _ = stopped.await;
        };
        let limits = forge_testkit::limits();
        let serving = tokio::spawn(forge_api::serve(
            listener,
            self.server.app.clone(),
            limits,
            stopping,
        ));
        let recorder = Arc::new(Recorder::default());
        let clients = (0..CLIENTS).map(|_| {
            let client = Client {
                http: reqwest::Client::builder().no_proxy().build().unwrap(),
                token: admin.token.clone().unwrap(),
                sets: format!(
                    "http://{address}/v1/{}/service/{service}/version_sets",
                    admin.organization
                ),
                base,
            };
            tokio::spawn(calls(client, Arc::clone(&recorder), dice.split()))
        });
        for client in clients.collect::<Vec<_>>() {
            client.await.unwrap();
        }
        stop.send(()).unwrap();
        serving.await.unwrap().unwrap();
        recorder.lines()
    }
}

/// Creates the calls of one client.
async fn calls(client: Client, recorder: Arc<Recorder>, mut dice: Dice) {
    let mut seen = Seen::default();
    for _ in 0..CALLS {
        let call = Call::any(&mut dice, &mut seen);
        let patience = match dice.below(20) {
            0 => Duration::from_millis(dice.below(5)),
            _ => PATIENCE,
        };
        let number = recorder.begin(&call);
        match client.call(&call, patience).await {
            Some(answer) => {
                recorder.end(number, &call, &answer);
                call.learn(&answer, &mut seen);
            }
            None => assert!(patience < PATIENCE, "{call:?} is not answered"),
        }
    }
}

/// Counts the kinds of answers, so that it shows what a run was about.
fn count(lines: &[Line], counts: &mut BTreeMap<&'static str, usize>) {
    for (_, action) in lines {
        let Action::Response(operation) = action else {
            continue;
        };
        let kind = match &operation.answer {
            Some(Answer::Done { change: Some(_), .. } | Answer::Lifted { change: Some(_) }) => "written",
            Some(Answer::Done { .. } | Answer::Lifted { .. }) => "no-op",
            Some(Answer::Planned(_)) => "planned",
            Some(Answer::Moved(_)) => "moved (409)",
            Some(Answer::Blocked(_)) => "blocked (400)",
            Some(Answer::PreconditionFailed { .. }) => "precondition failed (412)",
            _ => "read",
        };
        *counts.entry(kind).or_default() += 1;
    }
}

/// Shows what was checked, to whoever runs it with its output.
#[expect(clippy::print_stdout, reason = "the output of a test")]
fn tell(rounds: usize, seed: u64, counts: &BTreeMap<&'static str, usize>) {
    let calls: usize = counts.values().sum();
    println!("{rounds} rounds, {calls} calls, seed {seed}: {counts:?}");
}

#[both_engines]
async fn concurrent_calls_look_as_if_they_came_one_after_another(server: TestServer) {
    let budget = Budget::from_variable("FORGE_LINEARIZABILITY_SECONDS", 4);
    let seed = Dice::seed();
    let mut dice = Dice::new(seed);
    let world = World::new(server).await;
    let mut counts = BTreeMap::new();
    let mut rounds = 0;
    loop {
        let lines = world.round(rounds, &mut dice).await;
        count(&lines, &mut counts);
        rounds += 1;
        assert!(
            history::is_linearizable(&lines),
            "seed {seed}, round {rounds}: no order of the calls explains the last of these lines:\n{}",
            history::text(&lines[..history::rejected_after(&lines)])
        );
        if budget.is_used_up() {
            break;
        }
    }
    tell(rounds, seed, &counts);
}
