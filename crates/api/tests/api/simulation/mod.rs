//! Unit tests, sets of them, their runs, and what they protect.

mod guards;
mod rights;
mod runs;
mod unit_test_sets;
mod unit_tests;

use forge_testkit::{TestServer, version_set};
use serde_json::{Value, json};

use crate::support::items::{persona, scenario};

/// What unit tests need: a service with a set `test`, a persona, a scenario and a boolean metric.
pub(crate) struct World {
    pub(crate) service: String,
    pub(crate) persona: String,
    pub(crate) scenario: String,
    pub(crate) metric: String,
}

impl World {
    /// Creates a world whose metric is what `description` says.
    pub(crate) async fn with_metric(server: &TestServer, description: &str, value: Value) -> Self {
        let service = server.service(2).await;
        let set = json!({"version_set": version_set(1, 2)});
        let path = format!("service/{service}/version_sets/test/");
        assert_eq!(server.admin().put(&path, set).await.status, 204);
        let metric = json!({"name": "kindness", "tags": {}, "applied_to_services": [], "additional_notes": null,
            "initial_version_metric_value": {"description": description, "metric_value": value}});
        let metric = server.admin().post("metric/", metric).await;
        assert_eq!(metric.status, 201, "{}", metric.body);
        Self {
            service,
            persona: persona(server, "Wanda").await,
            scenario: scenario(server, "A broken chair").await,
            metric: metric.body["id"].as_str().unwrap().to_owned(),
        }
    }

    pub(crate) async fn new(server: &TestServer) -> Self {
        Self::with_metric(server, "check: contains \"you said\"", json!({"type": "boolean"})).await
    }

    /// Returns the body that creates a unit test of the set `test`.
    pub(crate) fn body(&self, name: &str) -> Value {
        json!({
            "name": name, "description": "Is it kind?", "service_id": self.service, "service_version_set_name": "test",
            "persona_id": self.persona, "scenario_id": self.scenario, "max_interactions": 5, "tags": {"team": "care"},
            "success_criterions": [{
                "name": "is kind", "metric_id": self.metric,
                "criterion": {"type": "boolean", "expected_value": true},
            }],
        })
    }

    /// Creates a unit test and returns its id.
    pub(crate) async fn test(&self, server: &TestServer, name: &str) -> String {
        create_test(server, self.body(name)).await
    }

    /// Creates a set that runs each test so often, and returns its id.
    pub(crate) async fn set(&self, server: &TestServer, name: &str, tests: &[(&str, u32)]) -> String {
        let created = server.admin().post(SETS, set_body(name, tests)).await;
        assert_eq!(created.status, 201, "{}", created.body);
        created.body["simulation_unit_test_set_id"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

pub(crate) const TESTS: &str = "simulation/unit_test/";

pub(crate) const SETS: &str = "simulation/unit_test_set/";

pub(crate) const RUNS: &str = "simulation/unit_test_set_run/";

pub(crate) async fn create_test(server: &TestServer, body: Value) -> String {
    let created = server.admin().post(TESTS, body).await;
    assert_eq!(created.status, 201, "{}", created.body);
    created.body["simulation_unit_test_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Returns the body that creates a set of unit tests.
pub(crate) fn set_body(name: &str, tests: &[(&str, u32)]) -> Value {
    let runs = tests
        .iter()
        .map(|(test, count)| json!({"unit_test_id": test, "run_count": count}));
    json!({"name": name, "description": "What must not break.", "unit_test_runs": runs.collect::<Vec<_>>(), "tags": {"when": "night"}})
}

/// Returns the names of what a list has under the key.
fn names(body: &Value, key: &str) -> Vec<String> {
    let rows = body[key].as_array().unwrap().iter();
    rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

/// Returns the body with some fields replaced.
fn with(mut body: Value, changes: &Value) -> Value {
    body.as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    body
}
