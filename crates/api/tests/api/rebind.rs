//! Another agent or context graph changes what every set of a service means: it takes the rights to change them, is
//! planned, and stops where they stop.

use std::sync::Arc;

use axum::http::Method;
use forge_testkit::{TestClient, TestResponse, TestServer, both_engines, service_body, version_set};
use serde_json::{Value, json};

use crate::simulation::World;
use crate::support::assertions::assert_refused;
use crate::support::grants::{any, grant};
use crate::support::ids::UNKNOWN_ID;
use crate::support::organization::change_number;
use crate::support::releases::{Release, assert_blocked, codes};
use crate::support::revisions::actions;
use crate::support::users::user_with;

fn path(service: &str) -> String {
    format!("service/{service}/")
}

fn barred(permission: &str, set: &str) -> Value {
    grant(
        permission,
        &json!({"version_set_name": {"type": "NotEquals", "value": set}}),
    )
}

/// Changes a service on terms.
async fn on_terms(
    client: &TestClient,
    service: &str,
    query: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> TestResponse {
    let path = format!("{}?{query}", path(service));
    let body = body.to_string().into_bytes();
    client
        .send_raw(Method::POST, &path, headers, Some("application/json"), body)
        .await
}

async fn resolved_agent(server: &TestServer, service: &str, set: &str) -> Value {
    let path = format!("service/{service}/version_sets/{set}/resolve");
    server.admin().get(&path).await.body["agent_version_info"].clone()
}

#[both_engines]
async fn another_agent_takes_the_right_to_change_every_set_but_edge(server: TestServer) {
    let service = server.service(2).await;
    let agent = server.agent(2).await;
    let change = json!({"agent_id": agent});
    let common = || vec![any("Service:UpdateService"), any("Organization:GetAgent")];
    let client = user_with(
        &server,
        "Barred",
        [common(), vec![barred("Service:UpdateVersionSet", "release")]].concat(),
    )
    .await;
    let (before, running) = (
        change_number(&server).await,
        resolved_agent(&server, &service, "release").await,
    );
    for query in ["dry_run=false", "dry_run=true", "lift_hold=true"] {
        let refused = on_terms(&client, &service, query, &[], &change).await;
        assert_eq!(refused.status, 403, "{}", refused.body);
        assert!(
            refused.detail().contains("Service:UpdateVersionSet"),
            "{}",
            refused.detail()
        );
    }
    assert_eq!(change_number(&server).await, before);
    assert_eq!(resolved_agent(&server, &service, "release").await, running);
    // What changes no set takes no right to change any.
    assert_eq!(
        client
            .post(
                &path(&service),
                json!({"description": "Changed.", "agent_id": running[0]})
            )
            .await
            .status,
        200
    );
    let able = user_with(
        &server,
        "Able",
        [common(), vec![barred("Service:UpdateVersionSet", "edge")]].concat(),
    )
    .await;
    let done = able.post(&path(&service), change).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(
        resolved_agent(&server, &service, "release").await[0],
        json!(agent)
    );
}

#[both_engines]
async fn a_rename_together_with_another_agent_is_checked_under_both_names(server: TestServer) {
    let (agent, graph) = (server.agent(1).await, server.context_graph(1).await);
    let service = server
        .admin()
        .post("service/", service_body("Care", &agent, &graph))
        .await
        .id();
    let only_care = json!({"service_name": {"type": "Equals", "value": "Care"}});
    let client = user_with(
        &server,
        "Carer",
        vec![
            any("Service:UpdateService"),
            any("Organization:GetAgent"),
            grant("Service:UpdateVersionSet", &only_care),
        ],
    )
    .await;
    let agent = server.agent(1).await;
    let both = client
        .post(&path(&service), json!({"agent_id": agent, "name": "Sales"}))
        .await;
    assert_eq!(both.status, 403, "{}", both.body);
    assert_eq!(
        client
            .post(&path(&service), json!({"agent_id": agent}))
            .await
            .status,
        200
    );
}

#[both_engines]
async fn a_held_set_stops_another_agent_until_the_hold_is_lifted_in_the_same_call(server: TestServer) {
    let release = Release::new(&server, 2).await;
    release.put("release", version_set(1, 1)).await;
    assert_eq!(
        release
            .post("release", "rollback", json!({"message": "it swears"}))
            .await
            .status,
        200
    );
    let (service, change) = (
        release.service.clone(),
        json!({"agent_id": server.agent(2).await}),
    );
    let before = change_number(&server).await;
    let stopped = server.admin().post(&path(&service), change.clone()).await;
    assert_blocked(&stopped, &["held"]);
    assert_refused(&stopped, &["`release`", "it swears"]);
    assert_eq!(change_number(&server).await, before);
    let done = on_terms(
        server.admin(),
        &service,
        "lift_hold=true&message=mended",
        &[],
        &change,
    )
    .await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(release.get("release").await["hold"], Value::Null);
    assert_eq!(release.history("release").await[0]["message"], "mended");
    let events = server.admin().get("audit_event/?limit=2").await.body["audit_events"].clone();
    let told: Vec<&Value> = events
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["action"])
        .collect();
    assert_eq!(told, ["update", "lift_hold"]);
    assert_eq!(
        (&events[1]["before"]["is_held"], &events[1]["after"]["is_held"]),
        (&json!(true), &json!(false))
    );
}

#[both_engines]
async fn a_dry_run_tells_what_each_set_would_mean_and_changes_nothing(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.put("test", version_set(2, 3)).await;
    let agent = server.agent(2).await;
    let before = change_number(&server).await;
    let change = json!({"agent_id": agent, "description": "Changed."});
    let planned = on_terms(server.admin(), &release.service, "dry_run=true", &[], &change).await;
    assert_eq!(
        (planned.status.as_u16(), planned.sequence()),
        (200, None),
        "{}",
        planned.body
    );
    let plan = &planned.body;
    let fields: Vec<&str> = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["description", "agent_id"]);
    let means: Vec<Value> = plan["version_sets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|set| {
            assert_eq!(set["action"], "rebind");
            json!([
                set["target"]["name"],
                set["resolved"]["agent_version_number"],
                set["changes"][0]["to"]
            ])
        })
        .collect();
    assert_eq!(
        means,
        [
            json!(["edge", 2, agent]),
            json!(["release", 2, agent]),
            json!(["test", 2, agent])
        ]
    );
    assert_eq!(
        (&plan["blockers"], &plan["is_no_op"]),
        (&json!([]), &json!(false))
    );
    assert_eq!(codes(&plan["warnings"]), ["floating_release"]);
    assert_eq!(change_number(&server).await, before);
    let digest = plan["digest"].as_str().unwrap();
    let done = on_terms(
        server.admin(),
        &release.service,
        &format!("plan_digest={digest}"),
        &[],
        &change,
    )
    .await;
    assert_eq!((done.status.as_u16(), &done.body), (200, &json!({})));
    assert_eq!(done.sequence(), Some(before + 1));
    let again = on_terms(server.admin(), &release.service, "dry_run=true", &[], &change).await;
    assert_eq!(again.body["is_no_op"], true);
}

#[both_engines]
async fn a_plan_that_moved_and_a_release_that_moved_change_nothing(server: TestServer) {
    let release = Release::new(&server, 3).await;
    let change = json!({"agent_id": server.agent(3).await});
    let planned = on_terms(server.admin(), &release.service, "dry_run=true", &[], &change).await;
    let digest = format!("plan_digest={}", planned.body["digest"].as_str().unwrap());
    release.put("release", version_set(1, 1)).await;
    // Whoever may not see `release` does not learn its revision by trying.
    let blind = user_with(&server, "Blind", vec![any("Service:UpdateService")]).await;
    let before = change_number(&server).await;
    let moved = on_terms(server.admin(), &release.service, &digest, &[], &change).await;
    assert_eq!(moved.status, 409, "{}", moved.body);
    assert_ne!(moved.body["plan"]["digest"], planned.body["digest"]);
    let stale = on_terms(
        server.admin(),
        &release.service,
        &digest,
        &[("if-match", "\"1\"")],
        &change,
    )
    .await;
    assert_eq!(stale.status, 412, "{}", stale.body);
    assert_eq!(
        (
            &stale.body["version_set"]["name"],
            &stale.body["version_set"]["revision"]
        ),
        (&json!("release"), &json!(2))
    );
    assert_eq!(
        on_terms(
            server.admin(),
            &release.service,
            "",
            &[("if-match", "x")],
            &change
        )
        .await
        .status,
        422
    );
    for revision in ["\"1\"", "\"2\""] {
        let refused = on_terms(
            &blind,
            &release.service,
            "",
            &[("if-match", revision)],
            &json!({"description": "x"}),
        )
        .await;
        assert_eq!(refused.status, 403, "{}", refused.body);
    }
    assert_eq!(change_number(&server).await, before);
    let digest = format!("plan_digest={}", moved.body["plan"]["digest"].as_str().unwrap());
    let done = on_terms(
        server.admin(),
        &release.service,
        &digest,
        &[("if-match", "\"2\"")],
        &change,
    )
    .await;
    assert_eq!(done.status, 200, "{}", done.body);
}

#[both_engines]
async fn a_dry_run_names_every_reason_that_the_call_would_name(server: TestServer) {
    let world = World::new(&server).await;
    let test = world.test(&server, "greets").await;
    let planned = on_terms(
        server.admin(),
        &world.service,
        "dry_run=true",
        &[],
        &json!({"is_active": false}),
    )
    .await;
    assert_eq!(codes(&planned.body["blockers"]), ["used_by_unit_tests"]);
    let refused = server
        .admin()
        .post(&path(&world.service), json!({"is_active": false}))
        .await;
    assert_blocked(&refused, &["used_by_unit_tests"]);
    assert_refused(&refused, &["`greets`", &test]);
    let other = server.service(1).await;
    let name = server.admin().get(&format!("service/?id={other}")).await.body["services"][0]["name"].clone();
    let change = json!({"name": name, "agent_id": server.agent(1).await});
    let planned = on_terms(server.admin(), &world.service, "dry_run=true", &[], &change).await;
    assert_eq!(codes(&planned.body["blockers"]), ["name_taken"]);
    // The contract has a status of its own for this one reason, if it is the only one.
    assert_eq!(
        server.admin().post(&path(&world.service), change).await.status,
        409
    );
    let change = json!({"name": name, "agent_id": server.agent(0).await});
    let refused = server.admin().post(&path(&world.service), change).await;
    assert_blocked(&refused, &["no_versions", "name_taken", "pin_lost_by_rebind"]);
    // Tests that the caller may not see are counted.
    let blind = user_with(
        &server,
        "Blind",
        vec![any("Service:UpdateService"), any("Service:DeleteVersionSet")],
    )
    .await;
    for refused in [
        blind
            .post(&path(&world.service), json!({"is_active": false}))
            .await,
        blind
            .delete(&format!("service/{}/version_sets/test/", world.service))
            .await,
    ] {
        assert_refused(&refused, &["1 that you may not see"]);
        assert!(!refused.body.to_string().contains("greets"), "{}", refused.body);
    }
}

#[both_engines]
async fn an_agent_that_may_not_be_read_is_answered_like_one_that_is_not_there(server: TestServer) {
    let (agent, graph) = (server.agent(1).await, server.context_graph(1).await);
    let service = server.service(1).await;
    let hidden = |id: &str| json!({"agent_id": {"type": "NotEquals", "value": id}});
    let client = user_with(
        &server,
        "Builder",
        vec![
            any("Service:CreateService"),
            any("Service:CreateVersionSet"),
            any("Service:UpdateService"),
            any("Service:UpdateVersionSet"),
            any("Organization:GetServiceHierarchicalStateMachine"),
            grant("Organization:GetAgent", &hidden(&agent)),
        ],
    )
    .await;
    let texts = async |status: u16, answers: [(TestResponse, &str); 2]| {
        let [one, other] = answers.map(|(answer, id)| {
            assert_eq!(answer.status, status, "{}", answer.body);
            answer.detail().replace(id, "X")
        });
        assert_eq!(one, other);
    };
    let create = async |id: &str| client.post("service/", service_body("New", id, &graph)).await;
    texts(
        404,
        [
            (create(UNKNOWN_ID).await, UNKNOWN_ID),
            (create(&agent).await, &agent),
        ],
    )
    .await;
    let update = async |id: &str| client.post(&path(&service), json!({"agent_id": id})).await;
    texts(
        400,
        [
            (update(UNKNOWN_ID).await, UNKNOWN_ID),
            (update(&agent).await, &agent),
        ],
    )
    .await;
}

#[both_engines]
async fn a_planned_rebind_and_a_move_of_release_never_miss_each_other(server: TestServer) {
    let server = Arc::new(server);
    for round in 0..6 {
        let release = Release::new(&server, 2).await;
        let change = json!({"agent_id": server.agent(2).await});
        let planned = on_terms(server.admin(), &release.service, "dry_run=true", &[], &change).await;
        let digest = format!("plan_digest={}", planned.body["digest"].as_str().unwrap());
        let (admin, service) = (server.admin().clone(), release.service.clone());
        let rebind = async {
            on_terms(&admin, &service, &digest, &[], &change)
                .await
                .status
                .as_u16()
        };
        let set = release.set("release");
        let pin = async {
            let body = json!({"version_set": version_set(1, 1)});
            server.admin().put(&set, body).await.status.as_u16()
        };
        let done = if round % 2 == 0 {
            tokio::join!(rebind, pin)
        } else {
            let (pinned, rebound) = tokio::join!(pin, rebind);
            (rebound, pinned)
        };
        let actions = actions(&server, &service, "release").await;
        // Either the plan was still true, or nothing of it was done.
        match done {
            (200, 204) => assert_eq!(actions, ["create", "rebind", "update"]),
            (409, 204) => assert_eq!(actions, ["create", "update"]),
            other => panic!("{other:?} {actions:?}"),
        }
    }
}
