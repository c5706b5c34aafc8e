//! Carrying a run out, cancelling it, and what is an error.

use forge_testkit::{TestDatabase, TestServer, both_engines, version_set};
use serde_json::json;

use super::{carry_out, shown, start};
use crate::simulation::{RUNS, SETS, TESTS, World, create_test, with};
use crate::support::ids::UNKNOWN_ID;
use crate::support::organization::{change_number, organization};

#[both_engines]
async fn a_run_holds_every_conversation_and_judges_it(server: TestServer) {
    let world = World::new(&server).await;
    let kind = world.test(&server, "kind").await;
    let unkind = create_test(&server, with(world.body("unkind"), &json!({"success_criterions": [{
        "name": "is unkind", "metric_id": world.metric, "criterion": {"type": "boolean", "expected_value": false},
    }]}))).await;
    let set = world.set(&server, "smoke", &[(&kind, 2), (&unkind, 1)]).await;
    let before = change_number(&server).await;
    let run = start(&server, &set).await;
    let waiting = shown(&server, &run).await;
    assert_eq!(
        (&waiting["is_completed"], &waiting["artifacts_generated"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(
        (&waiting["conversations"], &waiting["conversations_finished"]),
        (&json!(3), &json!(0))
    );
    assert_eq!(waiting["unit_test_run_results"], json!([null, null]));
    carry_out(&server).await;
    // Runs are no configuration.
    assert_eq!(change_number(&server).await, before);
    let run = shown(&server, &run).await;
    assert_eq!(run["status"], "completed", "{run:#}");
    assert_eq!(
        (&run["is_completed"], &run["failed_metrics"], &run["errored"]),
        (&json!(true), &json!(true), &json!(false))
    );
    let spec = &run["unit_test_run_specs"][0];
    assert_eq!(spec["service_version_set_revision"], 1);
    assert_eq!(
        (
            &spec["agent_version_info"][1],
            &spec["service_hierarchical_state_machine_version_info"][1]
        ),
        (&json!(1), &json!(2))
    );
    assert_eq!(
        (&spec["persona_version_info"], &spec["scenario_version_info"]),
        (&json!([world.persona, 1]), &json!([world.scenario, 1]))
    );
    let results = run["unit_test_run_results"].as_array().unwrap();
    assert_eq!(
        (&results[0]["passed"], &results[1]["passed"]),
        (&json!(2), &json!(0)),
        "{run:#}"
    );
    assert_eq!(results[0]["run_errors"], json!([null, null]));
    let judged = results[0]["metric_evaluation_results"][0]["results"]
        .as_array()
        .unwrap();
    assert_eq!(judged.len(), 2);
    assert!(judged.iter().all(|result| result[1] == json!(true)));
    let set = server.admin().get(SETS).await.body["simulation_unit_test_sets"][0].clone();
    assert_eq!(set["last_triggered_run_id"], run["id"]);
    // The results are those of the metric, too.
    let id = run["id"].as_str().unwrap();
    let stored = server
        .admin()
        .get(&format!(
            "metric/metric_evaluation_result?simulation_unit_test_set_run_id={id}"
        ))
        .await;
    let stored = stored.body["metric_evaluation_results"].as_array().unwrap();
    assert_eq!(stored.len(), 3);
    let first = stored.iter().find(|stored| stored["id"] == judged[0][0]).unwrap();
    assert_eq!(
        (&first["result"], &first["source"]["type"]),
        (&json!(true), &json!("simulation"))
    );
    assert_eq!(
        (&first["source"]["unit_test_id"], &first["source"]["run_index"]),
        (&json!(kind), &json!(0))
    );
}

#[both_engines]
async fn a_run_keeps_what_its_set_meant_when_it_was_created(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let set = world.set(&server, "smoke", &[(&test, 1)]).await;
    let run = start(&server, &set).await;
    let path = format!("service/{}/version_sets/test/", world.service);
    assert_eq!(
        server
            .admin()
            .put(&path, json!({"version_set": version_set(2, 1)}))
            .await
            .status,
        204
    );
    assert_eq!(server.admin().delete(&format!("{SETS}{set}")).await.status, 204);
    assert_eq!(
        server.admin().delete(&format!("{TESTS}{test}/")).await.status,
        204
    );
    assert_eq!(server.admin().delete(&path).await.status, 204);
    carry_out(&server).await;
    let run = shown(&server, &run).await;
    assert_eq!(run["status"], "completed");
    assert_eq!(run["unit_test_run_results"][0]["passed"], 1, "{run:#}");
    let conversation = run["unit_test_run_results"][0]["conversation_ids"][0]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let mut tx = server.app.store.read().await.unwrap();
    let conversation = tx
        .find_conversation(&organization(&server), conversation)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            conversation.agent.1.get(),
            conversation.context_graph.1.get(),
            conversation.revision
        ),
        (1, 2, 1)
    );
    assert_eq!(
        conversation.simulation_run_id.unwrap().to_string(),
        run["id"].as_str().unwrap()
    );
    assert!(conversation.finished_at.is_some());
}

#[both_engines]
async fn what_cannot_be_kept_is_an_error_at_once_and_nothing_is_said_twice(plain: TestServer) {
    let database = TestDatabase::start(plain.engine).await;
    let server = TestServer::alone(&database).await;
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let set = world.set(&server, "smoke", &[(&test, 1)]).await;
    let run = start(&server, &set).await;
    database
        .tamper("ALTER TABLE metric_result RENAME TO metric_result_elsewhere")
        .await;
    carry_out(&server).await;
    let run = shown(&server, &run).await;
    assert_eq!(
        (&run["status"], &run["errored"]),
        (&json!("completed"), &json!(true)),
        "{run:#}"
    );
    let results = &run["unit_test_run_results"][0];
    assert_eq!(
        results["run_errors"],
        json!(["what came of it could not be kept: internal error"])
    );
    let held = database
        .texts("SELECT CAST(COUNT(*) AS TEXT) FROM conversation")
        .await;
    assert_eq!(held.into_iter().collect::<Vec<_>>(), ["1"]);
}

#[both_engines]
async fn a_run_is_cancelled(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let set = world.set(&server, "smoke", &[(&test, 3)]).await;
    let run = start(&server, &set).await;
    let path = format!("{RUNS}{run}/");
    assert_eq!(server.admin().get(&format!("{path}artifacts/")).await.status, 400);
    assert_eq!(server.admin().delete(&path).await.status, 204);
    assert_eq!(server.admin().delete(&path).await.status, 409);
    assert_eq!(
        server
            .admin()
            .delete(&format!("{RUNS}{UNKNOWN_ID}/"))
            .await
            .status,
        404
    );
    carry_out(&server).await;
    let run = shown(&server, &run).await;
    assert_eq!(
        (&run["status"], &run["is_completed"], &run["errored"]),
        (&json!("cancelled"), &json!(true), &json!(true))
    );
    assert_eq!(
        run["unit_test_run_results"][0]["run_errors"],
        json!(vec!["the run was cancelled"; 3])
    );
    start(&server, &set).await;
}

#[both_engines]
async fn a_conversation_that_is_not_over_in_time_is_an_error(server: TestServer) {
    let world = World::new(&server).await;
    // The scripted persona speaks twice.
    let test = create_test(
        &server,
        with(world.body("short"), &json!({"max_interactions": 1})),
    )
    .await;
    let set = world.set(&server, "smoke", &[(&test, 1)]).await;
    let run = start(&server, &set).await;
    carry_out(&server).await;
    let run = shown(&server, &run).await;
    assert_eq!(
        (&run["errored"], &run["failed_metrics"]),
        (&json!(true), &json!(false)),
        "{run:#}"
    );
    let result = &run["unit_test_run_results"][0];
    assert_eq!(
        result["run_errors"],
        json!(["the conversation was not over after 1 interactions"])
    );
    assert_eq!(result["passed"], 0);
}
