//! Dynamic behavior sets, metrics, personas and scenarios: what they have in common is tested for all of them.

mod behavior_sets;
mod evaluation;
mod invocations;
mod lists;
mod metrics;
mod personas;
mod scenarios;
pub(crate) mod talk;
mod versions;

use forge_testkit::{TestClient, TestServer, both_engines};
use serde_json::{Value, json};

use crate::roles::{create as create_role, equals, grant};
use crate::services::UNKNOWN_ID;
use crate::users::member;

/// A kind of item, as the API has it.
#[derive(Clone, Copy)]
struct Kind {
    /// The path of the list, with its slash.
    path: &'static str,
    /// What the answer of a list calls it.
    list: &'static str,
    /// What the answer of a creation calls the id.
    created: &'static str,
    /// What a conflict calls it.
    noun: &'static str,
    /// What conditions call its name.
    name_attribute: &'static str,
    /// The permission to read it.
    get: &'static str,
    /// The permission to change it.
    modify: &'static str,
    /// The permissions to create it.
    create: &'static [&'static str],
    /// The status of an update.
    updated: u16,
    /// The body that creates it.
    body: fn(&str) -> Value,
}

const BEHAVIOR_SET: Kind = Kind {
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

const METRIC: Kind = Kind {
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

const PERSONA: Kind = Kind {
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

const SCENARIO: Kind = Kind {
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

const KINDS: [Kind; 4] = [BEHAVIOR_SET, METRIC, PERSONA, SCENARIO];

impl Kind {
    /// Creates one and returns its id.
    async fn create(self, server: &TestServer, body: Value) -> String {
        let created = server.admin().post(self.path, body).await;
        assert_eq!(created.status, 201, "{}", created.body);
        created.body[self.created].as_str().unwrap().to_owned()
    }

    /// Creates one of that name and returns its id.
    async fn named(self, server: &TestServer, name: &str) -> String {
        self.create(server, (self.body)(name)).await
    }

    /// Returns what a list shows of one.
    async fn shown(self, server: &TestServer, id: &str) -> Value {
        let listed = server.admin().get(&format!("{}?id={id}", self.path)).await;
        assert_eq!(listed.status, 200, "{}", listed.body);
        listed.body[self.list][0].clone()
    }

    /// Returns the names in a list that the query asks for.
    async fn names(self, server: &TestServer, query: &str) -> Vec<String> {
        let listed = server.admin().get(&format!("{}{query}", self.path)).await;
        assert_eq!(listed.status, 200, "{query}: {}", listed.body);
        names_in(&listed.body[self.list])
    }
}

/// Returns the names in a list of items.
fn names_in(list: &Value) -> Vec<String> {
    let items = list.as_array().unwrap().iter();
    items
        .map(|item| item["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Returns a user whose role, of that name, has these grants.
pub(crate) async fn user_with(server: &TestServer, role: &str, grants: Vec<Value>) -> TestClient {
    let created = create_role(server.admin(), role, grants).await;
    assert_eq!(created.status, 201, "{}", created.body);
    member(server, role).await
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

#[both_engines]
async fn an_item_is_created_and_shown(server: TestServer) {
    for kind in KINDS {
        let mut body = (kind.body)("  Calm  ");
        body["tags"] = json!({"team": "care", "draft": null});
        let created = server.admin().post(kind.path, body).await;
        assert_eq!(created.status, 201, "{}", created.body);
        assert!(created.sequence().is_some());
        let shown = kind
            .shown(&server, created.body[kind.created].as_str().unwrap())
            .await;
        assert_eq!(shown["id"], created.body[kind.created]);
        assert_eq!(shown["name"], "Calm", "blanks are cut");
        let user = json!({"org_id": server.admin().organization, "user_id": server.admin().user_id});
        assert_eq!((&shown["creator"], &shown["updated_by"]), (&user, &user));
        assert_eq!(shown["created_at"], "2026-11-23T12:00:00.000Z");
        assert_eq!(shown["updated_at"], shown["created_at"]);
    }
}

#[both_engines]
async fn a_name_is_taken_once_among_those_of_a_kind_that_are_not_deleted(server: TestServer) {
    for kind in KINDS {
        let first = kind.named(&server, "Calm").await;
        let taken = server.admin().post(kind.path, (kind.body)("Calm")).await;
        assert_eq!(
            (taken.status.as_u16(), taken.sequence()),
            (409, None),
            "{}",
            taken.body
        );
        assert!(
            taken
                .detail()
                .contains(&format!("{} {first} is named `Calm` already", kind.noun)),
            "{}",
            taken.detail()
        );
        kind.named(&server, "calm").await;
        let deleted = server.admin().delete(&format!("{}{first}/", kind.path)).await;
        assert!(deleted.status.is_success());
        assert_ne!(kind.named(&server, "Calm").await, first);
    }
}

#[both_engines]
async fn tags_are_changed_and_nothing_is_written_if_nothing_changes(server: TestServer) {
    for kind in KINDS {
        let path = format!("{}{}/", kind.path, kind.named(&server, "Calm").await);
        let id = path.split('/').rev().nth(1).unwrap();
        server.clock.advance_seconds(60);
        let changed = server
            .admin()
            .post(&path, json!({"tags": {"team": "care"}}))
            .await;
        assert_eq!(changed.status, kind.updated, "{}", changed.body);
        assert!(changed.sequence().is_some());
        let shown = kind.shown(&server, id).await;
        assert!(
            shown["tags"] == json!({"team": "care"})
                || shown["tags"] == json!([{"key": "team", "value": "care"}])
        );
        assert!(shown["updated_at"].as_str() > shown["created_at"].as_str());
        for same in [
            json!({}),
            json!({"tags": null}),
            json!({"tags": {"team": "care"}}),
        ] {
            let answer = server.admin().post(&path, same).await;
            assert_eq!((answer.status.as_u16(), answer.sequence()), (kind.updated, None));
        }
    }
}

#[both_engines]
async fn what_is_not_there_or_deleted_cannot_be_changed(server: TestServer) {
    for kind in KINDS {
        let doomed = kind.named(&server, "Doomed").await;
        let deleted = server.admin().delete(&format!("{}{doomed}/", kind.path)).await;
        assert!(
            deleted.status.is_success() && deleted.sequence().is_some(),
            "{}",
            deleted.body
        );
        for id in [UNKNOWN_ID, &doomed] {
            let path = format!("{}{id}/", kind.path);
            let change = json!({"tags": {"team": "care"}});
            assert_eq!(server.admin().post(&path, change).await.status, 404);
            let again = server.admin().delete(&path).await;
            assert_eq!((again.status.as_u16(), again.sequence()), (404, None));
        }
        assert_eq!(
            server
                .admin()
                .delete(&format!("{}nonsense/", kind.path))
                .await
                .status,
            422
        );
    }
}

#[both_engines]
async fn conditions_on_names_hold_for_everything_that_is_done(server: TestServer) {
    for kind in KINDS {
        let (mine, other) = (
            kind.named(&server, "Mine").await,
            kind.named(&server, "Other").await,
        );
        let on_mine = |permission: &str| grant(permission, &equals(kind.name_attribute, "Mine"));
        let mut grants = vec![on_mine(kind.get), on_mine(kind.modify)];
        grants.extend(kind.create.iter().map(|permission| on_mine(permission)));
        let user = user_with(&server, kind.list, grants).await;
        let seen = user.get(kind.path).await;
        assert_eq!(names_in(&seen.body[kind.list]), ["Mine"]);
        let change = json!({"tags": {"team": "care"}});
        let statuses = [&mine, &other].map(|id| format!("{}{id}/", kind.path));
        assert_eq!(user.post(&statuses[0], change.clone()).await.status, kind.updated);
        assert_eq!(user.post(&statuses[1], change).await.status, 403);
        assert_eq!(
            user.delete(&statuses[0]).await.status,
            403,
            "nothing was said of deleting"
        );
        assert_eq!(user.post(kind.path, (kind.body)("Third")).await.status, 403);
        assert_eq!(user.post(kind.path, (kind.body)("Mine")).await.status, 409);
    }
}

#[both_engines]
async fn a_slash_more_or_less_makes_no_difference(server: TestServer) {
    for kind in KINDS {
        // One client puts a slash behind every update and deletion, others none behind what has one.
        for slash in ["", "/"] {
            let id = kind.named(&server, "Calm").await;
            let path = format!("{}{id}{slash}", kind.path);
            let changed = server.admin().post(&path, json!({"tags": {"team": null}})).await;
            assert_eq!(changed.status, kind.updated, "{path}");
            let list = format!("{}{slash}?id={id}", kind.path.trim_end_matches('/'));
            assert_eq!(
                server.admin().get(&list).await.body[kind.list][0]["id"],
                json!(id)
            );
            assert!(server.admin().delete(&path).await.status.is_success(), "{path}");
            let search = format!("{}search{slash}?query=calm", kind.path);
            let expected = if kind.path == "metric/" { 405 } else { 200 };
            assert_eq!(server.admin().get(&search).await.status, expected, "{search}");
        }
    }
    let id = persona(&server, "Ada").await;
    let created = server
        .admin()
        .post(&format!("simulation/persona/{id}/version"), persona_version())
        .await;
    assert_eq!(created.status, 201, "{}", created.body);
}

#[both_engines]
async fn the_audit_log_tells_of_changes_without_contents(server: TestServer) {
    for kind in KINDS {
        let id = kind.named(&server, "Calm").await;
        server
            .admin()
            .post(&format!("{}{id}/", kind.path), json!({"tags": {"team": null}}))
            .await;
        server.admin().delete(&format!("{}{id}/", kind.path)).await;
        let log = server.admin().get(&format!("audit_event/?object_id={id}")).await;
        let events = log.body["audit_events"].as_array().unwrap();
        let actions: Vec<&str> = events
            .iter()
            .map(|event| event["action"].as_str().unwrap())
            .collect();
        assert_eq!(actions, ["delete", "update", "create"]);
        assert_eq!(events[1]["after"]["tags"], json!({"team": null}));
        let text = log.body.to_string();
        for content in [
            "Stay calm.",
            "Was it kind?",
            "Lives alone.",
            "Get the money back.",
        ] {
            assert!(!text.contains(content), "{text}");
        }
    }
}
