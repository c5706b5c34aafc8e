//! Examples of operations on unit tests, their sets, and runs.

use forge_app::simulations::unit_test_set_runs::work_off;
use forge_testkit::TestServer;
use serde_json::{Value, json};

use crate::simulation::{RUNS, SETS, TESTS, World, set_body};
use crate::support::organization::organization;

/// Returns examples about unit tests, sets of them and runs.
pub(crate) async fn examples_of_simulations(
    server: &TestServer,
) -> Vec<(&'static str, String, Option<Value>)> {
    let world = World::new(server).await;
    let [test, doomed_test] = [
        world.test(server, "kept").await,
        world.test(server, "doomed").await,
    ];
    let mut sets = Vec::new();
    for name in ["kept", "doomed", "finished", "running"] {
        sets.push(world.set(server, name, &[(&test, 1)]).await);
    }
    let run = async |set: &str| {
        let created = server
            .admin()
            .post(RUNS, json!({"simulation_unit_test_set_id": set}))
            .await;
        let id = &created.body["simulation_unit_test_set_run_id"];
        id.as_str().unwrap().to_owned()
    };
    let finished = run(&sets[2]).await;
    work_off(&server.app, &organization(server), 1).await.unwrap();
    let running = run(&sets[3]).await;
    vec![
        (
            "create-simulation-unit-test",
            TESTS.to_owned(),
            Some(world.body("another")),
        ),
        ("get-simulation-unit-tests", TESTS.to_owned(), None),
        (
            "search-simulation-unit-tests",
            format!("{TESTS}search/?query=kept"),
            None,
        ),
        (
            "update-simulation-unit-test",
            format!("{TESTS}{test}/"),
            Some(json!({"description": "Changed."})),
        ),
        (
            "delete-simulation-unit-test",
            format!("{TESTS}{doomed_test}/"),
            None,
        ),
        (
            "create-simulation-unit-test-set",
            SETS.to_owned(),
            Some(set_body("another", &[(&test, 1)])),
        ),
        ("get-simulation-unit-test-sets", SETS.to_owned(), None),
        (
            "search-simulation-unit-test-sets",
            format!("{SETS}search/?query=kept"),
            None,
        ),
        (
            "update-simulation-unit-test-set",
            format!("{SETS}{}", sets[0]),
            Some(json!({"description": "Changed."})),
        ),
        (
            "delete-simulation-unit-test-set",
            format!("{SETS}{}", sets[1]),
            None,
        ),
        (
            "create-simulation-unit-test-set-run",
            RUNS.to_owned(),
            Some(json!({"simulation_unit_test_set_id": sets[0]})),
        ),
        ("get-simulation-unit-test-set-runs", RUNS.to_owned(), None),
        (
            "get-simulation-unit-test-set-run-artifacts",
            format!("{RUNS}{finished}/artifacts/"),
            None,
        ),
        (
            "cancel-simulation-unit-test-set-run",
            format!("{RUNS}{running}/"),
            None,
        ),
    ]
}
