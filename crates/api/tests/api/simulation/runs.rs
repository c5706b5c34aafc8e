//! Runs of sets of unit tests.

use forge_app::simulations::unit_test_set_runs::work_off;
use forge_domain::access::DefaultRole;
use forge_domain::lease::Term;
use forge_domain::simulation::Turns;
use forge_domain::{Clock as _, Duration};
use forge_store::{UnitTestRunKey, UnitTestRunLease};
use forge_testkit::{TestDatabase, TestResponse, TestServer, both_engines, version_set};
use serde_json::{Value, json};

use super::{RUNS, SETS, TESTS, World, create_test, with};
use crate::support::assertions::assert_refused;
use crate::support::grants::{create_role, equals, grant};
use crate::support::ids::UNKNOWN_ID;
use crate::support::organization::{change_number, organization};
use crate::support::users::member;

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

/// Returns the conversation whose turn it is.
async fn next_to_do(server: &TestServer, turns: &mut Turns) -> Option<UnitTestRunKey> {
    let mut tx = server.app.store.read().await.unwrap();
    let now = server.clock.now();
    // Other tests have theirs in the same database.
    let only = organization(server);
    let runs = tx.list_unfinished_runs(Some(&only), now).await.unwrap();
    let next = turns.next(&runs)?;
    Some(UnitTestRunKey {
        organization: next.organization.clone(),
        run_id: next.run_id,
        number: next.to_do()?,
    })
}

fn named(key: &UnitTestRunKey, name: &str) -> UnitTestRunLease {
    UnitTestRunLease {
        key: key.clone(),
        name: name.to_owned(),
    }
}

/// Takes a conversation for half a minute; tells whether nobody else has it.
async fn claim(server: &TestServer, key: &UnitTestRunKey, lease: &str) -> bool {
    let term = Term::new(server.clock.now(), Duration::seconds(30));
    let mut tx = server.app.store.write_run(&key.organization).await.unwrap();
    let is_claimed = tx.acquire_unit_test_run(&named(key, lease), term).await.unwrap();
    tx.commit().await.unwrap();
    is_claimed
}

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
async fn a_run_can_try_another_set(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let set = world.set(&server, "smoke", &[(&test, 1)]).await;
    let body = |name: &str| json!({"simulation_unit_test_set_id": set, "service_version_set_name": name});
    for unknown in [
        body("preview"),
        body("no name of a set"),
        json!({"simulation_unit_test_set_id": set, "service_id": UNKNOWN_ID}),
        json!({"simulation_unit_test_set_id": UNKNOWN_ID}),
    ] {
        assert_eq!(server.admin().post(RUNS, unknown).await.status, 404);
    }
    let created = server.admin().post(RUNS, body("edge")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let spec = shown(&server, &run_id(&created)).await["unit_test_run_specs"][0].clone();
    assert_eq!(spec["service_version_set_name"], "edge");
    assert_eq!(
        (
            &spec["agent_version_info"][1],
            &spec["service_hierarchical_state_machine_version_info"][1]
        ),
        (&json!(2), &json!(2))
    );
}

#[both_engines]
async fn a_user_has_one_unfinished_run_of_a_set(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let set = world.set(&server, "smoke", &[(&test, 1)]).await;
    let first = start(&server, &set).await;
    let body = json!({"simulation_unit_test_set_id": set});
    let refused = server.admin().post(RUNS, body.clone()).await;
    assert_eq!(refused.status, 409);
    assert!(refused.detail().contains(&first), "{}", refused.detail());
    carry_out(&server).await;
    let together = futures_join(&server, &body).await;
    assert_eq!(
        together.iter().filter(|status| **status == 201).count(),
        1,
        "{together:?}"
    );
    assert_eq!(
        together.iter().filter(|status| **status == 409).count(),
        7,
        "{together:?}"
    );
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
async fn what_is_held_is_given_up_when_its_run_is_cancelled(database: TestDatabase) {
    // The persona thinks for longer than anybody waits before it answers the agent.
    let slow = json!([{"interaction": "simulate-user", "contains": "you said", "answer": "{\"message\": null}", "delay_ms": 50_000}]);
    let server = TestServer::scripted(database.engine, slow).await;
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let set = world.set(&server, "smoke", &[(&test, 1)]).await;
    let run = start(&server, &set).await;
    let (app, organization) = (server.app.clone(), organization(&server));
    let begun = std::time::Instant::now();
    let holding = tokio::spawn(async move { work_off(&app, &organization, 1).await });
    let conversations = async || server.admin().get("conversation/").await.body["conversations"].clone();
    while conversations().await[0]["num_messages"].as_i64() < Some(2) {
        assert!(begun.elapsed().as_secs() < 30);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(server.admin().delete(&format!("{RUNS}{run}/")).await.status, 204);
    holding.await.unwrap().unwrap();
    assert!(begun.elapsed().as_secs() < 40, "the persona was waited for");
    let run = shown(&server, &run).await;
    assert_eq!(
        (&run["status"], &run["unit_test_run_results"][0]["passed"]),
        (&json!("cancelled"), &json!(0))
    );
    assert_eq!(conversations().await[0]["is_finished"], true);
}

#[both_engines]
async fn what_a_lost_server_held_is_begun_anew(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let set = world.set(&server, "smoke", &[(&test, 1)]).await;
    let run = start(&server, &set).await;
    let key = next_to_do(&server, &mut Turns::default()).await.unwrap();
    assert!(claim(&server, &key, "lost").await);
    // Nobody else takes it while it is believed to be held.
    assert!(!claim(&server, &key, "other").await);
    assert_eq!(next_to_do(&server, &mut Turns::default()).await, None);
    carry_out(&server).await;
    assert_eq!(shown(&server, &run).await["status"], "running");
    server.clock.advance_seconds(31);
    carry_out(&server).await;
    let run = shown(&server, &run).await;
    assert_eq!(
        (&run["status"], &run["unit_test_run_results"][0]["passed"]),
        (&json!("completed"), &json!(1))
    );
    // The one that was lost comes back and finds that it is not its own any more.
    let until = server.clock.now().plus_seconds(30);
    let mut tx = server.app.store.write_run(&key.organization).await.unwrap();
    let renewed = tx.renew_unit_test_run(&named(&key, "lost"), until).await;
    assert!(!renewed.unwrap());
}

#[both_engines]
async fn what_was_created_or_held_while_a_clock_was_ahead_is_held_at_once(server: TestServer) {
    const AHEAD: i64 = 1800;
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let set = world.set(&server, "smoke", &[(&test, 3)]).await;
    server.clock.advance_seconds(AHEAD);
    let run = start(&server, &set).await;
    let key = next_to_do(&server, &mut Turns::default()).await.unwrap();
    assert!(claim(&server, &key, "lost").await);
    server.clock.advance_seconds(-AHEAD);
    carry_out(&server).await;
    let run = shown(&server, &run).await;
    assert_eq!(
        (&run["status"], &run["errored"]),
        (&json!("completed"), &json!(false)),
        "{run:#}"
    );
}

#[both_engines]
async fn whoever_comes_later_does_not_wait_for_all_of_anothers_run(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let long = world.set(&server, "long", &[(&test, 9)]).await;
    let short = world.set(&server, "short", &[(&test, 2)]).await;
    let long = start(&server, &long).await;
    let mut turns = Turns::default();
    let mut held = Vec::new();
    let mut hold = async |held: &mut Vec<String>| {
        let key = next_to_do(&server, &mut turns).await.unwrap();
        assert!(claim(&server, &key, "held").await);
        held.push(key.run_id.to_string());
    };
    for _ in 0..4 {
        hold(&mut held).await;
    }
    let other = server.user(DefaultRole::Administrator).await;
    let created = other
        .post(RUNS, json!({"simulation_unit_test_set_id": short}))
        .await;
    assert_eq!(created.status, 201, "{}", created.body);
    let short = run_id(&created);
    for _ in 0..3 {
        hold(&mut held).await;
    }
    let expected = [&long, &long, &long, &long, &short, &short, &long];
    assert_eq!(held.iter().collect::<Vec<_>>(), expected);
}

#[both_engines]
async fn what_stops_servers_again_and_again_is_given_up(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let set = world.set(&server, "smoke", &[(&test, 1)]).await;
    let run = start(&server, &set).await;
    for _ in 0..3 {
        let key = next_to_do(&server, &mut Turns::default()).await.unwrap();
        assert!(claim(&server, &key, "lost").await);
        server.clock.advance_seconds(31);
    }
    carry_out(&server).await;
    let run = shown(&server, &run).await;
    assert_eq!(
        (&run["status"], &run["errored"]),
        (&json!("completed"), &json!(true))
    );
    assert!(
        run["unit_test_run_results"][0]["run_errors"][0]
            .as_str()
            .unwrap()
            .contains("3 attempts")
    );
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

#[both_engines]
async fn artifacts_are_downloaded_by_a_link_that_ends(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let set = world.set(&server, "smoke", &[(&test, 1)]).await;
    let run = start(&server, &set).await;
    let path = format!("{RUNS}{run}/artifacts/");
    assert_refused(&server.admin().get(&path).await, &[&run, "in progress"]);
    carry_out(&server).await;
    let link = server.admin().get(&path).await;
    assert_eq!(link.status, 200, "{}", link.body);
    let url = link.body["presigned_url"].as_str().unwrap();
    let (_, download) = url
        .split_once(&format!("/v1/{}/", server.admin().organization))
        .unwrap();
    let anybody = forge_testkit::TestClient {
        token: None,
        ..server.admin().clone()
    };
    let artifacts = anybody.get(download).await;
    assert_eq!(artifacts.status, 200, "{}", artifacts.body);
    let conversation = &artifacts.body["conversations"][0];
    assert_eq!(
        (&conversation["unit_test_name"], &conversation["state"]),
        (&json!("kind"), &json!("judged"))
    );
    assert!(
        conversation["messages"].as_array().unwrap().len() >= 2,
        "{conversation:#}"
    );
    assert_eq!(conversation["verdicts"][0]["passed"], true);
    assert_ne!(conversation["verdicts"][0]["justification"], "");
    // It is of this run and of this organization only.
    let other = download.replace(&run, UNKNOWN_ID);
    assert_eq!(anybody.get(&other).await.status, 401);
    let stranger = forge_testkit::TestClient {
        token: None,
        ..server.stranger().clone()
    };
    assert_eq!(stranger.get(download).await.status, 401);
    assert_eq!(anybody.get(&download[..download.len() - 4]).await.status, 401);
    server.clock.advance_seconds(3601);
    assert_eq!(anybody.get(download).await.status, 401);
}

#[both_engines]
async fn what_is_told_of_a_run_depends_on_grants(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let (day, night) = (
        world.set(&server, "day", &[(&test, 1)]).await,
        world.set(&server, "night", &[(&test, 1)]).await,
    );
    let (day, night) = (start(&server, &day).await, start(&server, &night).await);
    carry_out(&server).await;
    let see = |set: &str| {
        grant(
            "Simulation:GetSimulationUnitTestSetRun",
            &equals("simulation_unit_test_set_name", set),
        )
    };
    create_role(server.admin(), "Looks", vec![see("day")]).await;
    create_role(
        server.admin(),
        "Reads",
        vec![
            see("day"),
            grant("Simulation:GetSimulationUnitTestSet", &json!({})),
        ],
    )
    .await;
    create_role(
        server.admin(),
        "Knows",
        vec![
            see("day"),
            grant("Simulation:GetSimulationUnitTestSet", &json!({})),
            grant("Simulation:GetSimulationUnitTest", &json!({})),
        ],
    )
    .await;
    for (role, with_specs, with_parts) in [
        ("Looks", false, false),
        ("Reads", true, false),
        ("Knows", true, true),
    ] {
        let user = member(&server, role).await;
        let listed = user.get(&format!("{RUNS}?limit=1")).await;
        let runs = listed.body["simulation_unit_test_set_runs"].as_array().unwrap();
        assert_eq!(
            (runs.len(), &runs[0]["id"], &listed.body["has_more"]),
            (1, &json!(day), &json!(false)),
            "{role}"
        );
        let specs = runs[0]["unit_test_run_specs"].as_array().unwrap();
        assert_eq!(specs.len(), usize::from(with_specs), "{role}");
        if with_specs {
            assert_eq!(specs[0]["persona_version_info"].is_array(), with_parts, "{role}");
            assert_eq!(
                specs[0]["metrics_to_evaluate"].as_array().unwrap().len(),
                usize::from(with_parts)
            );
            let metrics = &runs[0]["unit_test_run_results"][0]["metric_evaluation_results"];
            assert_eq!(metrics.as_array().unwrap().len(), usize::from(with_parts));
        }
        assert_eq!(user.delete(&format!("{RUNS}{day}/")).await.status, 403);
        // A transcript tells of the context graph.
        assert_eq!(user.get(&format!("{RUNS}{day}/artifacts/")).await.status, 403);
        assert_eq!(user.get(&format!("{RUNS}{night}/artifacts/")).await.status, 403);
    }
}

#[both_engines]
async fn runs_are_filtered_sorted_and_paged(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "kind").await;
    let (one, two) = (
        world.set(&server, "one", &[(&test, 1)]).await,
        world.set(&server, "two", &[(&test, 1)]).await,
    );
    let first = start(&server, &one).await;
    carry_out(&server).await;
    server.clock.advance_seconds(10);
    let second = start(&server, &two).await;
    let list = async |query: &str| -> Vec<String> {
        let listed = server.admin().get(&format!("{RUNS}?{query}")).await;
        assert_eq!(listed.status, 200, "{query}: {}", listed.body);
        let runs = listed.body["simulation_unit_test_set_runs"].as_array().unwrap();
        runs.iter()
            .map(|run| run["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let created = shown(&server, &second).await["created_at"]
        .as_str()
        .unwrap()
        .to_owned();
    for (query, expected) in [
        (String::new(), vec![&first, &second]),
        ("sort_by=-created_at".into(), vec![&second, &first]),
        (format!("simulation_unit_test_set_id={two}"), vec![&second]),
        ("is_completed=true".into(), vec![&first]),
        ("is_completed=false".into(), vec![&second]),
        ("errored=true".into(), vec![]),
        ("failed_metrics=false".into(), vec![&first, &second]),
        (format!("created_after={created}"), vec![&second]),
        (format!("created_before={created}"), vec![&first, &second]),
        (format!("creator={},nobody", server.admin().organization), vec![]),
    ] {
        assert_eq!(
            list(&query).await,
            expected.into_iter().cloned().collect::<Vec<_>>(),
            "{query}"
        );
    }
    let page = server
        .admin()
        .get(&format!("{RUNS}?limit=1&sort_by=-created_at"))
        .await;
    assert_eq!(
        page.body["filter_values"]["simulation_unit_test_set_ids"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let token = page.body["continuation_token"].as_i64().unwrap();
    assert_eq!(
        list(&format!("limit=1&sort_by=-created_at&continuation_token={token}")).await,
        [first]
    );
    assert_eq!(
        server.admin().get(&format!("{RUNS}?sort_by=id")).await.status,
        422
    );
    assert_eq!(
        server
            .admin()
            .get(&format!("{RUNS}?continuation_token=77"))
            .await
            .status,
        422
    );
}

/// Creates a run eight times at once, and returns the statuses.
async fn futures_join(server: &TestServer, body: &Value) -> Vec<u16> {
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (admin, body) = (server.admin().clone(), body.clone());
        writers.spawn(async move { admin.post(RUNS, body).await.status.as_u16() });
    }
    writers.join_all().await
}
