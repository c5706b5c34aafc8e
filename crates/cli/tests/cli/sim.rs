//! `forge sim`

use std::time::{Duration, Instant};

use forge_testkit::{Engine, TestDatabase};
use reqwest::Method;
use serde_json::{Value, json};

use crate::help::examples;
use crate::process::{PATIENCE, Serving, init};
use crate::world::{Api, SCRIPT, Typed, World, assert_transcript, script};

/// Adds two tests of `release` of `Dental care`, one that the scripted agent passes three times and one that it fails
/// once, a set `good` of the first, and one of both or the first, called `smoke`.
///
/// Returns the id of the latter.
pub(crate) async fn add_tests(api: &Api, tests_of_smoke: usize) -> String {
    let services = api
        .send(Method::GET, "service/?is_active=true", Value::Null)
        .await;
    let services = services["services"].as_array().unwrap();
    let service = services
        .iter()
        .find(|service| service["name"] == "Dental care")
        .unwrap();
    let metric = json!({"name": "repeats", "tags": {}, "applied_to_services": [], "additional_notes": null,
        "initial_version_metric_value": {"description": "check: contains \"you said\"", "metric_value": {"type": "boolean"}}});
    let metric = api.send(Method::POST, "metric/", metric).await;
    let persona = json!({"name": "Wanda", "role": "patient", "tags": {}, "initial_version": {"background": "Has a toothache.",
        "user_models": [], "nonsensitive_user_variables": {}, "sensitive_user_variables": {}}});
    let persona = api.send(Method::POST, "simulation/persona/", persona).await;
    let scenario = json!({"name": "Toothache", "tags": {}, "initial_version": {"objective": "Get an appointment.",
        "instructions": "Be short.", "initial_message_type": "user-message", "conversation_starts_at": null}});
    let scenario = api.send(Method::POST, "simulation/scenario/", scenario).await;
    let mut entries = Vec::new();
    for (name, expected, run_count) in [
        ("confirms the request", true, 3),
        ("keeps the request to itself", false, 1),
    ] {
        let test = json!({
            "name": name, "description": "For a test.", "service_id": service["id"], "service_version_set_name": "release",
            "persona_id": persona["simulation_persona_id"], "scenario_id": scenario["simulation_scenario_id"],
            "max_interactions": 5, "tags": {}, "success_criterions": [{
                "name": "repeats it", "metric_id": metric["id"], "criterion": {"type": "boolean", "expected_value": expected},
            }],
        });
        let test = api.send(Method::POST, "simulation/unit_test/", test).await;
        entries.push(json!({"unit_test_id": test["simulation_unit_test_id"], "run_count": run_count}));
    }
    let set = |name: &str, entries: &[Value]| {
        let body = json!({"name": name, "description": null, "unit_test_runs": entries, "tags": {}});
        let name = name.to_owned();
        async move {
            let created = api.send(Method::POST, "simulation/unit_test_set/", body).await;
            (
                name,
                created["simulation_unit_test_set_id"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            )
        }
    };
    set("good", &entries[..1]).await;
    set("smoke", &entries[..tests_of_smoke]).await.1
}

#[tokio::test(flavor = "multi_thread")]
async fn tests_are_run_and_compared_in_a_pipe() {
    let world = World::scripted().await;
    add_tests(&world.api, 2).await;
    let transcript = world.pipe(&[
        "forge sim list",
        "forge sim run good --wait",
        "forge sim run smoke --wait --junit report.xml",
        r#"sed -E 's/time="[0-9.]+"/time="SECONDS"/' report.xml"#,
        "forge sim show $(forge sim list --set smoke | cut -f 1) --failed",
        "forge sim show $(forge sim list --set good | cut -f 1) --failed",
        "forge sim run smoke --service 'Dental care' --version-set preview --wait --quiet",
        "forge sim run smoke --version-set test",
        "forge sim run smoke --version-set relese",
        "forge sim run smoke --service 'Dental care' --version-set previw",
        "forge sim run nothing --wait",
        "forge sim run smoke --junit report.xml",
        "forge sim list",
        "forge sim list --set good --limit 1 --json",
        "forge sim show $(forge sim list --set good | cut -f 1)",
        "forge sim compare release preview --set smoke",
        "forge sim compare release preview --set smoke --json",
        "forge sim compare release test --set smoke",
        "forge sim compare release preview",
        "forge sim cancel $(forge sim list --set good | cut -f 1)",
        "forge sim show 0123456789abcdef01234567",
    ]);
    assert_transcript("sim_in_a_pipe", &transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_how_a_run_goes() {
    let world = World::scripted().await;
    add_tests(&world.api, 2).await;
    world.ok("forge sim run smoke --version-set preview --wait || true");
    let transcript = world.terminal(&[
        Typed::new("forge sim run good --wait --quiet"),
        Typed::new("forge sim run smoke --wait --quiet"),
        Typed::new("forge sim show $(forge sim list --set smoke --limit 1 | cut -f 1) --failed"),
        Typed::new("forge sim list --set smoke"),
        Typed::new("forge sim compare release preview --set smoke"),
    ]);
    assert_transcript("sim_on_a_terminal", &transcript);
}

/// The same script, with a persona who takes a while to think.
fn slow_script() -> String {
    let mut script: Value = serde_json::from_str(SCRIPT).unwrap();
    for rule in script["rules"].as_array_mut().unwrap() {
        if rule["interaction"] == "simulate-user" {
            rule["delay_ms"] = json!(700);
        }
    }
    script.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stops_waiting_is_told_that_the_run_goes_on() {
    let world = World::scripted_by(&slow_script()).await;
    add_tests(&world.api, 1).await;
    let transcript = world
        .terminal(&[Typed::new("forge sim run smoke --wait").answer("conversations have ended", "\u{3}")]);
    for part in [
        "the run goes on; `forge sim show ID` tells how far it is, and `forge sim cancel ID` stops it",
        "exit 130",
    ] {
        assert!(transcript.contains(part), "{transcript}");
    }
    let state = world.ok("forge sim list --set smoke | cut -f 3");
    assert_ne!(state, "cancelled\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_help_work() {
    let world = World::scripted_by(&slow_script()).await;
    add_tests(&world.api, 1).await;
    // In this order, each has what it needs.
    for verb in ["run", "list", "show", "compare", "cancel"] {
        let examples = examples(&world.ok(&format!("forge sim {verb} --help")));
        assert!(!examples.is_empty(), "{verb} has no examples");
        for example in &examples {
            world.ok(example);
        }
        if verb == "run" {
            world.ok("forge sim run smoke --version-set release --wait");
        }
    }
}

/// Asks until there is an answer.
async fn wait_for<T>(ask: impl AsyncFn() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "it takes too long");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Returns the only run of a list.
async fn shown(api: &Api, path: &str) -> Value {
    let listed = api.send(Method::GET, path, Value::Null).await;
    listed["simulation_unit_test_set_runs"][0].clone()
}

/// Returns how many messages all conversations have together.
async fn said(api: &Api) -> i64 {
    let listed = api.send(Method::GET, "conversation/", Value::Null).await;
    let conversations = listed["conversations"].as_array().unwrap();
    conversations
        .iter()
        .map(|conversation| conversation["num_messages"].as_i64().unwrap())
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_survives_the_death_of_the_server() {
    let database = TestDatabase::start(Engine::Sqlite).await;
    script(&database.folder.path().join("data"), &slow_script());
    let credentials = init("acme", &database.flags);
    let mut serving = Serving::start_without_rate_limits(&database.flags);
    let api = Api::sign_in(&serving.address, &credentials).await;
    api.seed().await;
    let set = add_tests(&api, 2).await;
    let body = json!({"simulation_unit_test_set_id": set});
    let created = api
        .send(Method::POST, "simulation/unit_test_set_run/", body)
        .await;
    let run = created["simulation_unit_test_set_run_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("simulation/unit_test_set_run/?id={run}");
    let mut api = api;
    let mut before = 0;
    // One death by force in the middle, and one ordinary end.
    for is_killed in [true, false] {
        before = wait_for(async || {
            let (run, said) = (shown(&api, &path).await, said(&api).await);
            assert_eq!(run["is_completed"], false, "it ended too soon: {run:#}");
            (said > before).then_some(said)
        })
        .await;
        if is_killed {
            drop(serving);
        } else {
            serving.stop();
        }
        serving = Serving::start_without_rate_limits(&database.flags);
        api = Api::sign_in(&serving.address, &credentials).await;
    }
    let ended = wait_for(async || {
        let run = shown(&api, &path).await;
        (run["is_completed"] == true).then_some(run)
    })
    .await;
    assert_eq!(
        (&ended["status"], &ended["errored"]),
        (&json!("completed"), &json!(false)),
        "{ended:#}"
    );
    let results = &ended["unit_test_run_results"];
    assert_eq!(
        (&results[0]["passed"], &results[1]["passed"]),
        (&json!(3), &json!(0)),
        "{ended:#}"
    );
}
