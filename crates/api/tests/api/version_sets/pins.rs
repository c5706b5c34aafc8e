//! What a set may pin and prefer.

use forge_testkit::{both_engines, service_body, version_set};
use serde_json::{Value, json};

use super::{add_agent_version, binding, names, path, put, upsert};
use crate::support::assertions::{assert_invalid, assert_refused};
use crate::support::bodies::MAX_BODY;
use crate::support::models::{MODEL, with_model};
use crate::support::organization::{a_day_later, change_number};

#[both_engines]
async fn a_set_pins_versions_of_the_services_own_agent_and_graph(server: TestServer) {
    let (agent, graph) = (server.agent(2).await, server.context_graph(1).await);
    // Other assets that have more versions change nothing.
    server.service(5).await;
    let service = server
        .admin()
        .post("service/", service_body("Care", &agent, &graph))
        .await
        .id();
    upsert(&server, &service, "preview", version_set(2, 1)).await;
    let before = change_number(&server).await;
    for set in ["test", "preview", "release"] {
        for number in [0, -1, 3, 99, i64::MAX, i64::MIN] {
            let told = format!("agent {agent} has no version {number}; its newest version is 2");
            assert_refused(
                &put(&server, &service, set, version_set(number, 1)).await,
                &[&told],
            );
        }
        for number in [0, -1, 2, 99, i64::MAX] {
            let told = format!("context graph {graph} has no version {number}; its newest version is 1");
            assert_refused(
                &put(&server, &service, set, version_set(2, number)).await,
                &[&told],
            );
        }
    }
    assert_eq!(change_number(&server).await, before);
    assert_eq!(names(&server, &service).await, ["edge", "preview", "release"]);
    add_agent_version(&server, &agent, "M3").await;
    upsert(&server, &service, "test", version_set(3, 1)).await;
}

#[both_engines]
async fn a_set_prefers_models_that_can_be_used(server: TestServer) {
    let service = server.service(1).await;
    let before = change_number(&server).await;
    for (model, params, told) in [
        ("nobodys_model", json!({}), "there is no model `nobodys_model`"),
        ("", json!({}), "there is no model ``"),
        ("retired_model", json!({}), "model `retired_model` is retired"),
        (MODEL, json!({"temperature": 9}), "not admitted by the schema of"),
        (
            MODEL,
            json!({"temperature": "warm"}),
            "not admitted by the schema of",
        ),
        (MODEL, json!({"temprature": 1}), "not admitted by the schema of"),
    ] {
        let pins = with_model(version_set(None, None), "engage-user", model, params);
        assert_refused(
            &put(&server, &service, "test", pins).await,
            &["llm_model_preferences.engage-user", told],
        );
    }
    assert_eq!(change_number(&server).await, before);
}

#[both_engines]
async fn every_reason_against_a_set_is_told_at_once(server: TestServer) {
    let service = server.service(1).await;
    let (agent, graph) = binding(&server, &service).await;
    let pins = with_model(version_set(7, 8), "a", "nobodys_model", json!({}));
    let pins = with_model(pins, "b", "retired_model", json!({}));
    let pins = with_model(pins, "c", MODEL, json!({"temperature": 9}));
    assert_refused(
        &put(&server, &service, "edge", pins).await,
        &[
            "`edge`",
            &format!("agent {agent} has no version 7"),
            &format!("context graph {graph} has no version 8"),
            "llm_model_preferences.a: there is no model",
            "llm_model_preferences.b: model `retired_model` is retired",
            "llm_model_preferences.c.params: ",
        ],
    );
}

#[both_engines]
async fn a_model_can_be_preferred_until_it_retires_and_is_still_told_afterwards(server: TestServer) {
    let service = server.service(1).await;
    let pins = with_model(
        version_set(1, 1),
        "engage-user",
        "retiring_model",
        json!({"x": 1}),
    );
    upsert(&server, &service, "test", pins.clone()).await;
    let admin = a_day_later(&server).await;
    let refused = admin
        .put(&path(&service, "preview"), json!({"version_set": pins}))
        .await;
    assert_refused(&refused, &["model `retiring_model` is retired"]);
    let resolution = admin.get(&format!("{}resolve", path(&service, "test"))).await;
    assert_eq!(
        resolution.body["llm_model_preferences"],
        pins["llm_model_preferences"]
    );
    assert_eq!(admin.get(&path(&service, "test")).await.body["pins"], pins);
}

#[both_engines]
async fn an_upsert_says_everything_about_the_set(server: TestServer) {
    let service = server.service(1).await;
    let before = change_number(&server).await;
    for field in [
        "agent_version_number",
        "service_hierarchical_state_machine_version_number",
        "llm_model_preferences",
    ] {
        let mut pins = version_set(1, 1);
        pins.as_object_mut().unwrap().remove(field);
        let fault = format!("body.version_set.{field}: missing");
        assert_invalid(&put(&server, &service, "test", pins).await, &[&fault]);
        for wrong in [json!("1"), json!(true), json!(1.5), json!([])] {
            let mut pins = version_set(1, 1);
            pins[field] = wrong;
            let fault = format!("body.version_set.{field}: type");
            assert_invalid(&put(&server, &service, "test", pins).await, &[&fault]);
        }
    }
    for (models, fault) in [
        (Value::Null, "llm_model_preferences: type"),
        (json!({"a": null}), "llm_model_preferences.a: type"),
        (json!({"a": {}}), "llm_model_preferences.a.llm_name: missing"),
        (
            json!({"a": {"llm_name": null}}),
            "llm_model_preferences.a.llm_name: type",
        ),
        (
            json!({"a": {"llm_name": MODEL, "params": null}}),
            "llm_model_preferences.a.params: type",
        ),
        (
            json!({"a": {"llm_name": MODEL, "params": []}}),
            "llm_model_preferences.a.params: type",
        ),
    ] {
        let mut pins = version_set(1, 1);
        pins["llm_model_preferences"] = models;
        assert_invalid(
            &put(&server, &service, "test", pins).await,
            &[&format!("body.version_set.{fault}")],
        );
    }
    let bare = server
        .admin()
        .put(&path(&service, "test"), version_set(1, 1))
        .await;
    assert_invalid(&bare, &["body.version_set: missing"]);
    let nothing = server
        .admin()
        .put(&path(&service, "test"), json!({"version_set": null}))
        .await;
    assert_invalid(&nothing, &["body.version_set: type"]);
    assert_eq!(change_number(&server).await, before);
}

#[both_engines]
async fn a_set_that_is_too_large_is_refused(server: TestServer) {
    let service = server.service(1).await;
    let pins = with_model(version_set(1, 1), &"x".repeat(MAX_BODY), MODEL, json!({}));
    let before = change_number(&server).await;
    assert_eq!(put(&server, &service, "test", pins).await.status, 413);
    assert_eq!(change_number(&server).await, before);
}
