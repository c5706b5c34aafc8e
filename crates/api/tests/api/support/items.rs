//! Behavior sets, metrics, personas and scenarios that are sound.

use forge_testkit::TestServer;
use serde_json::{Value, json};

/// A kind of item, as the API has it.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    /// The path of the list, with its slash.
    pub(crate) path: &'static str,
    /// What the answer of a list calls it.
    pub(crate) list: &'static str,
    /// What the answer of a creation calls the id.
    pub(crate) created: &'static str,
    /// What a conflict calls it.
    pub(crate) noun: &'static str,
    /// What conditions call its name.
    pub(crate) name_attribute: &'static str,
    /// The permission to read it.
    pub(crate) get: &'static str,
    /// The permission to change it.
    pub(crate) modify: &'static str,
    /// The permissions to create it.
    pub(crate) create: &'static [&'static str],
    /// The status of an update.
    pub(crate) updated: u16,
    /// The body that creates it.
    pub(crate) body: fn(&str) -> Value,
}

impl Kind {
    /// Creates one and returns its id.
    pub(crate) async fn create(self, server: &TestServer, body: Value) -> String {
        let created = server.admin().post(self.path, body).await;
        assert_eq!(created.status, 201, "{}", created.body);
        created.body[self.created].as_str().unwrap().to_owned()
    }

    /// Creates one of that name and returns its id.
    pub(crate) async fn named(self, server: &TestServer, name: &str) -> String {
        self.create(server, (self.body)(name)).await
    }

    /// Returns what a list shows of one.
    pub(crate) async fn shown(self, server: &TestServer, id: &str) -> Value {
        let listed = server.admin().get(&format!("{}?id={id}", self.path)).await;
        assert_eq!(listed.status, 200, "{}", listed.body);
        listed.body[self.list][0].clone()
    }

    /// Returns the names in a list that the query asks for.
    pub(crate) async fn names(self, server: &TestServer, query: &str) -> Vec<String> {
        let listed = server.admin().get(&format!("{}{query}", self.path)).await;
        assert_eq!(listed.status, 200, "{query}: {}", listed.body);
        names_in(&listed.body[self.list])
    }
}

pub(crate) const BEHAVIOR_SET: Kind = Kind {
    path: "dynamic_behavior_set/",
    list: "dynamic_behavior_sets",
    created: "dynamic_behavior_set_id",
    noun: "dynamic behavior set",
    name_attribute: "dynamic_behavior_set_name",
    get: "DynamicBehaviorInstruction:GetDynamicBehaviorInstruction",
    modify: "DynamicBehaviorInstruction:UpdateDynamicBehaviorInstruction",
    create: &[
        "DynamicBehaviorInstruction:CreateDynamicBehaviorInstruction",
        "DynamicBehaviorInstruction:UpdateDynamicBehaviorInstruction",
    ],
    updated: 204,
    body: behavior_set_body,
};

pub(crate) const METRIC: Kind = Kind {
    path: "metric/",
    list: "metrics",
    created: "id",
    noun: "metric",
    name_attribute: "metric_name",
    get: "Metric:GetMetric",
    modify: "Metric:ModifyMetric",
    create: &["Metric:CreateMetric"],
    updated: 200,
    body: metric_body,
};

pub(crate) const PERSONA: Kind = Kind {
    path: "simulation/persona/",
    list: "simulation_personas",
    created: "simulation_persona_id",
    noun: "simulation persona",
    name_attribute: "simulation_persona_name",
    get: "Simulation:GetSimulationPersona",
    modify: "Simulation:ModifySimulationPersona",
    create: &[
        "Simulation:CreateSimulationPersona",
        "Simulation:ModifySimulationPersona",
    ],
    updated: 204,
    body: persona_body,
};

pub(crate) const SCENARIO: Kind = Kind {
    path: "simulation/scenario/",
    list: "simulation_scenarios",
    created: "simulation_scenario_id",
    noun: "simulation scenario",
    name_attribute: "simulation_scenario_name",
    get: "Simulation:GetSimulationScenario",
    modify: "Simulation:ModifySimulationScenario",
    create: &[
        "Simulation:CreateSimulationScenario",
        "Simulation:ModifySimulationScenario",
    ],
    updated: 204,
    body: scenario_body,
};

pub(crate) const KINDS: [Kind; 4] = [BEHAVIOR_SET, METRIC, PERSONA, SCENARIO];

/// Returns the names in a list of items.
pub(crate) fn names_in(list: &Value) -> Vec<String> {
    let items = list.as_array().unwrap().iter();
    items
        .map(|item| item["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Returns a version of a behavior set.
pub(crate) fn behavior_version() -> Value {
    json!({"conversation_triggers": ["The user is angry."], "actions": [
        {"type": "inject-instruction", "instruction": "Stay calm.", "overrides_instructions": false}]})
}

/// Returns the body that creates an active behavior set that is applied nowhere.
pub(crate) fn behavior_set_body(name: &str) -> Value {
    let mut version = behavior_version();
    version["is_active"] = true.into();
    json!({"name": name, "tags": {}, "applied_to_services": [], "initial_version": version})
}

/// Returns the body that creates a boolean metric.
pub(crate) fn metric_body(name: &str) -> Value {
    json!({"name": name, "tags": {}, "applied_to_services": [], "additional_notes": null,
        "initial_version_metric_value": {"description": "Was it kind?", "metric_value": {"type": "boolean"}}})
}

/// Returns a version of a persona.
pub(crate) fn persona_version() -> Value {
    json!({"background": "Lives alone.", "user_models": ["Is in a hurry."],
        "nonsensitive_user_variables": {"city": "Bonn"}, "sensitive_user_variables": {}})
}

/// Returns the body that creates a persona.
pub(crate) fn persona_body(name: &str) -> Value {
    json!({"name": name, "role": "customer", "tags": {}, "initial_version": persona_version()})
}

/// Returns a version of a scenario.
pub(crate) fn scenario_version() -> Value {
    json!({"objective": "Get the money back.", "instructions": "Insist.", "initial_message_type": "user-message",
        "conversation_starts_at": null})
}

/// Returns the body that creates a scenario.
pub(crate) fn scenario_body(name: &str) -> Value {
    json!({"name": name, "tags": {}, "initial_version": scenario_version()})
}

/// Creates a behavior set and returns its id.
pub(crate) async fn behavior_set(server: &TestServer, name: &str) -> String {
    BEHAVIOR_SET.named(server, name).await
}

/// Creates a behavior set of that body and returns its id.
pub(crate) async fn behavior_set_of(server: &TestServer, body: Value) -> String {
    BEHAVIOR_SET.create(server, body).await
}

/// Creates a metric and returns its id.
pub(crate) async fn metric(server: &TestServer, name: &str) -> String {
    METRIC.named(server, name).await
}

/// Creates a persona and returns its id.
pub(crate) async fn persona(server: &TestServer, name: &str) -> String {
    PERSONA.named(server, name).await
}

/// Creates a scenario and returns its id.
pub(crate) async fn scenario(server: &TestServer, name: &str) -> String {
    SCENARIO.named(server, name).await
}
