//! A unit test reaches nothing that those who write it and run it may not reach themselves.

use forge_testkit::{TestClient, TestServer, both_engines, version_set};
use serde_json::{Value, json};

use super::{RUNS, SETS, TESTS, World, create_test, set_body, with};
use crate::support::grants::{any, equals, grant};
use crate::support::ids::UNKNOWN_ID;
use crate::support::items::{metric, persona, scenario};
use crate::support::organization::change_number;
use crate::support::users::user_with;

/// What writing unit tests and running them takes, each unless something replaces it.
fn grants(replaced: &[Value]) -> Vec<Value> {
    let all = [
        "Simulation:CreateSimulationUnitTest",
        "Simulation:ModifySimulationUnitTest",
        "Simulation:GetSimulationUnitTest",
        "Simulation:CreateSimulationUnitTestSet",
        "Simulation:ModifySimulationUnitTestSet",
        "Simulation:CreateSimulationUnitTestSetRun",
        "Conversation:CreateConversation",
        "Simulation:GetSimulationPersona",
        "Simulation:GetSimulationScenario",
        "Metric:GetMetric",
    ];
    let is_replaced = |name: &str| replaced.iter().any(|grant| grant["permission_name"] == name);
    let kept = all.into_iter().filter(|name| !is_replaced(name)).map(any);
    kept.chain(replaced.iter().cloned()).collect()
}

fn not_equals(attribute: &str, value: &str) -> Value {
    json!({attribute: {"type": "NotEquals", "value": value}})
}

/// A role that may talk to every set but `release`.
async fn barred_from_release(server: &TestServer) -> TestClient {
    let barred = grant(
        "Conversation:CreateConversation",
        &not_equals("version_set_name", "release"),
    );
    user_with(server, "Barred", grants(&[barred])).await
}

fn criterion(metric: &str) -> Value {
    json!([{"name": "is kind", "metric_id": metric, "criterion": {"type": "boolean", "expected_value": true}}])
}

/// Asks for a thing that is not there and for one that the caller may not have, by the same request, and fails unless
/// nothing but its name tells the answers apart.
async fn assert_alike(client: &TestClient, path: &str, body: impl Fn(&str) -> Value, names: [&str; 2]) {
    let mut texts = Vec::new();
    for name in names {
        let answer = client.post(path, body(name)).await;
        assert_eq!(answer.status, 404, "{path} {name}: {}", answer.body);
        texts.push(answer.detail().replace(name, "X"));
    }
    assert_eq!(texts[0], texts[1]);
}

#[both_engines]
async fn what_lists_can_be_filtered_by_is_that_of_what_the_caller_may_see(server: TestServer) {
    let world = World::new(&server).await;
    let (seen, hidden) = (
        world.test(&server, "seen").await,
        world.test(&server, "hidden").await,
    );
    let tags = json!({"tags": {"secret": null}});
    assert!(
        server
            .admin()
            .post(&format!("{TESTS}{hidden}"), tags)
            .await
            .status
            .is_success()
    );
    let (day, night) = (
        world.set(&server, "day", &[(&seen, 1)]).await,
        world.set(&server, "night", &[(&hidden, 1)]).await,
    );
    for set in [&day, &night] {
        assert_eq!(
            server
                .admin()
                .post(RUNS, json!({"simulation_unit_test_set_id": set}))
                .await
                .status,
            201
        );
    }
    let named = |permission: &str, attribute: &str, name: &str| grant(permission, &equals(attribute, name));
    let caller = user_with(
        &server,
        "Looks",
        vec![
            named(
                "Simulation:GetSimulationUnitTest",
                "simulation_unit_test_name",
                "seen",
            ),
            named(
                "Simulation:GetSimulationUnitTestSet",
                "simulation_unit_test_set_name",
                "day",
            ),
            named(
                "Simulation:GetSimulationUnitTestSetRun",
                "simulation_unit_test_set_name",
                "day",
            ),
        ],
    )
    .await;
    for (list, value, expected) in [
        (TESTS, "tags", json!(["team"])),
        (SETS, "unit_test_ids", json!([seen])),
        (RUNS, "simulation_unit_test_set_ids", json!([day])),
    ] {
        assert_eq!(
            caller.get(list).await.body["filter_values"][value],
            expected,
            "{list}"
        );
    }
}

#[both_engines]
async fn a_unit_test_is_written_only_by_those_who_may_talk_to_its_set(server: TestServer) {
    let world = World::new(&server).await;
    let before = change_number(&server).await;
    let client = barred_from_release(&server).await;
    let body = |set: &str| with(world.body("greets"), &json!({"service_version_set_name": set}));
    assert_alike(&client, TESTS, body, ["preview", "release"]).await;
    let elsewhere = |service: &str| with(body("release"), &json!({"service_id": service}));
    assert_alike(&client, TESTS, elsewhere, [UNKNOWN_ID, &world.service]).await;
    // The role and its user are the two changes.
    assert_eq!(change_number(&server).await, before + 2);
    assert_eq!(client.post(TESTS, body("test")).await.status, 201);
    let nobody = user_with(&server, "Nobody", grants(&[]).into_iter().skip(1).collect()).await;
    assert_eq!(nobody.post(TESTS, body("test")).await.status, 403);
}

#[both_engines]
async fn a_unit_test_names_only_what_its_writer_may_read(server: TestServer) {
    let world = World::new(&server).await;
    let [persona, scenario, metric] = [
        persona(&server, "Secret").await,
        scenario(&server, "Secret").await,
        metric(&server, "Secret").await,
    ];
    for (number, (permission, attribute, field, secret)) in [
        (
            "Simulation:GetSimulationPersona",
            "simulation_persona_name",
            "persona_id",
            persona,
        ),
        (
            "Simulation:GetSimulationScenario",
            "simulation_scenario_name",
            "scenario_id",
            scenario,
        ),
        ("Metric:GetMetric", "metric_name", "success_criterions", metric),
    ]
    .into_iter()
    .enumerate()
    {
        let role = format!("Reader-{number}");
        let client = user_with(
            &server,
            &role,
            grants(&[grant(permission, &not_equals(attribute, "Secret"))]),
        )
        .await;
        let body = |id: &str| {
            let value = if field == "success_criterions" {
                criterion(id)
            } else {
                json!(id)
            };
            with(world.body(&role), &json!({field: value}))
        };
        assert_alike(&client, TESTS, body, [UNKNOWN_ID, &secret]).await;
        let created = client.post(TESTS, world.body(&role)).await;
        assert_eq!(created.status, 201, "{}", created.body);
        let test = format!(
            "{TESTS}{}/",
            created.body["simulation_unit_test_id"].as_str().unwrap()
        );
        assert_alike(
            &client,
            &test,
            |id| json!({field: body(id)[field]}),
            [UNKNOWN_ID, &secret],
        )
        .await;
    }
}

#[both_engines]
async fn a_unit_test_is_changed_only_by_those_who_could_have_written_it(server: TestServer) {
    let world = World::new(&server).await;
    let (id, other) = (
        world.test(&server, "greets").await,
        world.test(&server, "other").await,
    );
    let path = format!("{TESTS}{other}/");
    let moved = server
        .admin()
        .post(&path, json!({"service_version_set_name": "release"}))
        .await;
    assert_eq!(moved.status, 204, "{}", moved.body);
    let client = barred_from_release(&server).await;
    let before = change_number(&server).await;
    // Not even where nothing of the set is changed.
    for change in [
        json!({"description": "Is it?"}),
        json!({"max_interactions": 9}),
        json!({"run_count": 9}),
    ] {
        let refused = client.post(&path, change).await;
        assert_eq!(refused.status, 404, "{}", refused.body);
    }
    let change = |set: &str| json!({"service_version_set_name": set});
    assert_alike(&client, &format!("{TESTS}{id}/"), change, ["preview", "release"]).await;
    assert_eq!(change_number(&server).await, before);
    assert_eq!(
        client
            .post(&path, json!({"service_version_set_name": "test"}))
            .await
            .status,
        204
    );
}

#[both_engines]
async fn a_set_of_unit_tests_names_only_what_its_writer_may_read(server: TestServer) {
    let world = World::new(&server).await;
    let (mine, secret) = (
        world.test(&server, "mine").await,
        world.test(&server, "secret").await,
    );
    let only_mine = grant(
        "Simulation:GetSimulationUnitTest",
        &equals("simulation_unit_test_name", "mine"),
    );
    let client = user_with(&server, "Writer", grants(&[only_mine])).await;
    let body = |id: &str| set_body("smoke", &[(&mine, 1), (id, 1)]);
    assert_alike(&client, SETS, body, [UNKNOWN_ID, &secret]).await;
    let created = client.post(SETS, set_body("smoke", &[(&mine, 1)])).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let path = format!(
        "{SETS}{}",
        created.body["simulation_unit_test_set_id"].as_str().unwrap()
    );
    let change = |id: &str| json!({"unit_test_runs": [{"unit_test_id": id, "run_count": 1}]});
    assert_alike(&client, &path, change, [UNKNOWN_ID, &secret]).await;
    let others = world.set(&server, "others", &[(&secret, 1)]).await;
    assert_eq!(
        client
            .post(&format!("{SETS}{others}"), json!({"tags": {}}))
            .await
            .status,
        404
    );
}

#[both_engines]
async fn a_run_reaches_only_what_its_runner_may_reach_whoever_wrote_the_tests(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "greets").await;
    let of_release = with(
        world.body("of release"),
        &json!({"service_version_set_name": "release"}),
    );
    let of_release = create_test(&server, of_release).await;
    let smoke = world.set(&server, "smoke", &[(&test, 1)]).await;
    let others = world.set(&server, "others", &[(&of_release, 1)]).await;
    let client = barred_from_release(&server).await;
    let refused = client
        .post(RUNS, json!({"simulation_unit_test_set_id": others}))
        .await;
    assert_eq!(refused.status, 404, "{}", refused.body);
    let elsewhere =
        |set: &str| json!({"simulation_unit_test_set_id": smoke, "service_version_set_name": set});
    assert_alike(&client, RUNS, elsewhere, ["preview", "release"]).await;
    for (number, lacking) in [
        grant(
            "Simulation:GetSimulationUnitTest",
            &not_equals("simulation_unit_test_name", "greets"),
        ),
        grant(
            "Simulation:GetSimulationPersona",
            &not_equals("simulation_persona_name", "Wanda"),
        ),
        grant(
            "Simulation:GetSimulationScenario",
            &not_equals("simulation_scenario_name", "A broken chair"),
        ),
        grant("Metric:GetMetric", &not_equals("metric_name", "kindness")),
    ]
    .into_iter()
    .enumerate()
    {
        let client = user_with(&server, &format!("Runner-{number}"), grants(&[lacking])).await;
        let refused = client
            .post(RUNS, json!({"simulation_unit_test_set_id": smoke}))
            .await;
        assert_eq!(refused.status, 404, "{number}: {}", refused.body);
    }
    let listed = server.admin().get(RUNS).await;
    assert_eq!(listed.body["simulation_unit_test_set_runs"], json!([]));
    let created = client
        .post(RUNS, json!({"simulation_unit_test_set_id": smoke}))
        .await;
    assert_eq!(created.status, 201, "{}", created.body);
}

#[both_engines]
async fn a_runner_who_lost_a_right_meanwhile_runs_nothing_more(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "greets").await;
    let smoke = world.set(&server, "smoke", &[(&test, 1)]).await;
    let runner = user_with(&server, "Runner", grants(&[])).await;
    let fewer: Vec<Value> = grants(&[])
        .into_iter()
        .filter(|grant| grant["permission_name"] != "Conversation:CreateConversation")
        .collect();
    let modified = server
        .admin()
        .post("role/Runner", json!({"permission_grants": fewer}))
        .await;
    assert_eq!(modified.status, 200, "{}", modified.body);
    let body = json!({"simulation_unit_test_set_id": smoke});
    assert_eq!(runner.post(RUNS, body).await.status, 403);
    // A test that somebody else wrote protects its set from being deleted, whoever asks.
    let path = format!("service/{}/version_sets/test/", world.service);
    assert_eq!(
        server
            .admin()
            .put(&path, json!({"version_set": version_set(2, 2)}))
            .await
            .status,
        204
    );
    assert_eq!(server.admin().delete(&path).await.status, 400);
}
