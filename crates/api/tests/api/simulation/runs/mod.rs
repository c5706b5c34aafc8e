//! Runs of sets of unit tests.

mod artifacts;
mod carry_out;
mod create;
mod lease;
mod list;

use forge_app::simulations::unit_test_set_runs::work_off;
use forge_testkit::{TestResponse, TestServer};
use serde_json::{Value, json};

use super::RUNS;
use crate::support::organization::organization;

/// Creates a run of a set.
async fn start(server: &TestServer, set: &str) -> String {
    let created = server
        .admin()
        .post(RUNS, json!({"simulation_unit_test_set_id": set}))
        .await;
    assert_eq!(created.status, 201, "{}", created.body);
    run_id(&created)
}

fn run_id(created: &TestResponse) -> String {
    created.body["simulation_unit_test_set_run_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Returns what a list shows of a run.
async fn shown(server: &TestServer, run: &str) -> Value {
    let listed = server.admin().get(&format!("{RUNS}?id={run}")).await;
    assert_eq!(listed.status, 200, "{}", listed.body);
    listed.body["simulation_unit_test_set_runs"][0].clone()
}

async fn carry_out(server: &TestServer) {
    work_off(&server.app, &organization(server), 4).await.unwrap();
}
