//! Activating a service again.

use forge_testkit::{both_engines, service_body};
use serde_json::json;

use super::{
    assert_updated, binding, create, deprecate_agent, deprecate_context_graph, floating, new_body, put_set,
    update, with,
};
use crate::support::assertions::assert_refused;
use crate::support::models::with_model;
use crate::support::organization::{a_day_later, change_number};

#[both_engines]
async fn a_service_of_deprecated_assets_is_not_activated(server: TestServer) {
    let (agent, graph) = binding(&server, 1).await;
    let id = create(&server, service_body("Care", &agent, &graph)).await;
    assert_updated(&update(&server, &id, json!({"is_active": false})).await);
    assert_updated(&update(&server, &id, json!({"is_active": true})).await);
    assert_updated(&update(&server, &id, json!({"is_active": false})).await);
    deprecate_agent(&server, &agent).await;
    deprecate_context_graph(&server, &graph).await;
    let before = change_number(&server).await;
    let told = [
        format!("agent {agent} is deprecated"),
        format!("context graph {graph} is deprecated"),
    ];
    let refused = update(&server, &id, json!({"is_active": true})).await;
    assert_refused(&refused, &[&told[0], &told[1]]);
    assert_eq!(change_number(&server).await, before);
    // What does not activate it is still possible, and so is moving it to living ones in the same step.
    assert_updated(&update(&server, &id, json!({"description": "Rests."})).await);
    let (agent, graph) = binding(&server, 1).await;
    let rebound =
        json!({"is_active": true, "agent_id": agent, "service_hierarchical_state_machine_id": graph});
    assert_updated(&update(&server, &id, rebound).await);
}

#[both_engines]
async fn a_service_whose_sets_prefer_a_retired_model_is_not_activated(server: TestServer) {
    let body = new_body(&server, "Care").await;
    let retiring = with_model(floating(), "engage-user", "retiring_model", json!({}));
    let changes = json!({"is_active": false, "release_version_set": retiring});
    let id = create(&server, with(body.clone(), &changes)).await;
    let in_test = create(
        &server,
        with(body.clone(), &json!({"name": "Tried", "is_active": false})),
    )
    .await;
    put_set(&server, &in_test, "test", retiring.clone()).await;
    let running = create(
        &server,
        with(body, &json!({"name": "Runs", "release_version_set": retiring})),
    )
    .await;
    assert_updated(&update(&server, &id, json!({"is_active": true})).await);
    assert_updated(&update(&server, &id, json!({"is_active": false})).await);
    let admin = a_day_later(&server).await;
    let before = change_number(&server).await;
    let activate = async |id: &str| {
        admin
            .post(&format!("service/{id}/"), json!({"is_active": true}))
            .await
    };
    let told = "llm_model_preferences.engage-user: model `retiring_model` is retired";
    assert_refused(&activate(&id).await, &["version set `release`: ", told]);
    assert_refused(&activate(&in_test).await, &["version set `test`: ", told]);
    assert_eq!(change_number(&server).await, before);
    // One that runs goes on running, and can be changed.
    assert_updated(
        &admin
            .post(&format!("service/{running}/"), json!({"name": "Walks"}))
            .await,
    );
    let path = format!("service/{id}/version_sets/release/");
    assert_eq!(
        admin.put(&path, json!({"version_set": floating()})).await.status,
        204
    );
    assert_updated(&activate(&id).await);
}

#[both_engines]
async fn no_service_begins_or_begins_again_with_a_yanked_version_pinned(server: TestServer) {
    let (agent, graph) = binding(&server, 2).await;
    let admin = server.admin();
    let pins = |version: i64| {
        json!({"agent_version_number": version, "service_hierarchical_state_machine_version_number": null,
        "llm_model_preferences": {}})
    };
    let body = |name: &str, version| {
        with(
            service_body(name, &agent, &graph),
            &json!({"release_version_set": pins(version)}),
        )
    };
    let id = create(&server, body("Rests", 1)).await;
    assert_updated(&update(&server, &id, json!({"is_active": false})).await);
    let yanked = admin
        .post(
            &format!("organization/agent/{agent}/version/1/yank"),
            json!({"reason": "it tells dosages"}),
        )
        .await;
    assert!(yanked.status.is_success(), "{}", yanked.body);
    let before = change_number(&server).await;
    let told = ["version set `release`: ", "was yanked: it tells dosages"];
    for is_active in [true, false] {
        let body = with(body("Care", 1), &json!({"is_active": is_active}));
        assert_refused(&admin.post("service/", body).await, &told);
    }
    assert_refused(&update(&server, &id, json!({"is_active": true})).await, &told);
    assert_eq!(change_number(&server).await, before);
    create(&server, body("Care", 2)).await;
    put_set(&server, &id, "release", pins(2)).await;
    assert_updated(&update(&server, &id, json!({"is_active": true})).await);
}

#[both_engines]
async fn a_service_is_activated_with_the_sets_that_its_plan_was_about(server: TestServer) {
    let (agent, graph) = binding(&server, 2).await;
    let admin = server.admin();
    let id = create(
        &server,
        with(service_body("Care", &agent, &graph), &json!({"is_active": false})),
    )
    .await;
    let path = format!("service/{id}/");
    let pins = |version: i64| {
        json!({"agent_version_number": version, "service_hierarchical_state_machine_version_number": 1,
        "llm_model_preferences": {}})
    };
    put_set(&server, &id, "release", pins(1)).await;
    let planned = admin
        .post(&format!("{path}?dry_run=true"), json!({"is_active": true}))
        .await;
    let digest = planned.body["digest"]
        .as_str()
        .unwrap_or_else(|| panic!("{}", planned.body))
        .to_owned();
    put_set(&server, &id, "release", pins(2)).await;
    let moved = admin
        .post(
            &format!("{path}?plan_digest={digest}"),
            json!({"is_active": true}),
        )
        .await;
    assert_eq!(moved.status, 409, "{}", moved.body);
    put_set(&server, &id, "preview", pins(1)).await;
    let planned = admin
        .post(&format!("{path}?dry_run=true"), json!({"is_active": true}))
        .await;
    let digest = planned.body["digest"].as_str().unwrap().to_owned();
    let done = admin
        .post(
            &format!("{path}?plan_digest={digest}"),
            json!({"is_active": true}),
        )
        .await;
    assert_eq!(done.status, 200, "{}", done.body);
}
