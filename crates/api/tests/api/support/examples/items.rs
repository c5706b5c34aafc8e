//! Examples of operations on behavior sets, metrics, personas and scenarios.

use forge_testkit::TestServer;
use serde_json::{Value, json};

use crate::items::talk;
use crate::support::items::{
    behavior_set, behavior_set_body, behavior_version, metric, metric_body, persona, persona_body,
    persona_version, scenario, scenario_body, scenario_version,
};

/// Returns examples about dynamic behavior sets and metrics.
pub(crate) async fn examples_of_behavior_sets_and_metrics(
    server: &TestServer,
) -> Vec<(&'static str, String, Option<Value>)> {
    let [set, doomed_set] = [
        behavior_set(server, "Calm").await,
        behavior_set(server, "Doomed").await,
    ];
    let [metric, doomed_metric] = [metric(server, "Calm").await, metric(server, "Doomed").await];
    let service = server.service(1).await;
    let conversation = talk::start(server, &service, "Good morning.")
        .await
        .conversation_id;
    let sets = "dynamic_behavior_set";
    vec![
        (
            "create-dynamic-behavior-set",
            format!("{sets}/"),
            Some(behavior_set_body("Another")),
        ),
        ("get-dynamic-behavior-sets", format!("{sets}/"), None),
        (
            "search-dynamic-behavior-sets",
            format!("{sets}/search?query=calm"),
            None,
        ),
        (
            "update-dynamic-behavior-set",
            format!("{sets}/{set}/"),
            Some(json!({"tags": {"changed": null}})),
        ),
        (
            "delete-dynamic-behavior-instruction",
            format!("{sets}/{doomed_set}/"),
            None,
        ),
        (
            "create-dynamic-behavior-set-version",
            format!("{sets}/{set}/version/"),
            Some(behavior_version()),
        ),
        (
            "get-dynamic-behavior-set-versions",
            format!("{sets}/{set}/version/"),
            None,
        ),
        (
            "create-metric",
            "metric/".to_owned(),
            Some(metric_body("Another")),
        ),
        ("get-metrics", "metric/".to_owned(), None),
        (
            "update-metric",
            format!("metric/{metric}/"),
            Some(json!({"additional_notes": "Changed."})),
        ),
        ("delete-metric", format!("metric/{doomed_metric}/"), None),
        (
            "get-dynamic-behavior-invocations",
            format!("{sets}/{set}/invocation/"),
            None,
        ),
        (
            "evaluate-metrics",
            "metric/evaluate".to_owned(),
            Some(json!({"metric_ids": [metric], "conversation_id": conversation})),
        ),
        (
            "get-metric-evaluation-results",
            "metric/metric_evaluation_result".to_owned(),
            None,
        ),
    ]
}

/// Returns examples about personas and scenarios.
pub(crate) async fn examples_of_personas_and_scenarios(
    server: &TestServer,
) -> Vec<(&'static str, String, Option<Value>)> {
    let [persona, doomed_persona] = [persona(server, "Ada").await, persona(server, "Doomed").await];
    let [scenario, doomed_scenario] = [scenario(server, "Refund").await, scenario(server, "Doomed").await];
    let (personas, scenarios) = ("simulation/persona", "simulation/scenario");
    vec![
        (
            "create-simulation-persona",
            format!("{personas}/"),
            Some(persona_body("Another")),
        ),
        ("get-simulation-personas", format!("{personas}/"), None),
        (
            "search-simulation-personas",
            format!("{personas}/search?query=ada"),
            None,
        ),
        (
            "update-simulation-persona",
            format!("{personas}/{persona}/"),
            Some(json!({"tags": {"changed": null}})),
        ),
        (
            "delete-simulation-persona",
            format!("{personas}/{doomed_persona}/"),
            None,
        ),
        (
            "create-simulation-persona-version",
            format!("{personas}/{persona}/version/"),
            Some(persona_version()),
        ),
        (
            "get-simulation-persona-versions",
            format!("{personas}/{persona}/version/"),
            None,
        ),
        (
            "create-simulation-scenario",
            format!("{scenarios}/"),
            Some(scenario_body("Another")),
        ),
        ("get-simulation-scenarios", format!("{scenarios}/"), None),
        (
            "search-simulation-scenarios",
            format!("{scenarios}/search?query=refund"),
            None,
        ),
        (
            "update-simulation-scenario",
            format!("{scenarios}/{scenario}/"),
            Some(json!({"tags": {"changed": null}})),
        ),
        (
            "delete-simulation-scenario",
            format!("{scenarios}/{doomed_scenario}/"),
            None,
        ),
        (
            "create-simulation-scenario-version",
            format!("{scenarios}/{scenario}/version/"),
            Some(scenario_version()),
        ),
        (
            "get-simulation-scenario-versions",
            format!("{scenarios}/{scenario}/version/"),
            None,
        ),
    ]
}
