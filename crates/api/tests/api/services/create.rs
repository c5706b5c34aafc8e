//! Creating services.

use forge_app::services;
use forge_domain::access::DefaultRole;
use forge_domain::service::ServiceFields;
use forge_testkit::{both_engines, service_body, version_set};
use serde_json::{Value, json};

use super::{
    assert_updated, binding, create, deprecate_agent, deprecate_context_graph, floating, foreign_binding,
    new_body, read, update, with,
};
use crate::support::assertions::{assert_forbidden, assert_refused};
use crate::support::grants::parsed_grant;
use crate::support::ids::UNKNOWN_ID;
use crate::support::models::{MODEL, with_model};
use crate::support::organization::change_number;
use crate::support::revisions::{actions, history};

#[both_engines]
async fn a_new_service_is_told_in_full_and_has_edge_and_release(server: TestServer) {
    let (agent, graph) = binding(&server, 2).await;
    let user = json!({"org_id": server.admin().organization, "user_id": server.admin().user_id});
    for is_active in [true, false] {
        let tags = json!({"team": "care", "flag": null});
        let changes =
            json!({"is_active": is_active, "keyterms": ["brindlemoor", "root canal"], "tags": tags});
        let body = with(service_body("Care", &agent, &graph), &changes);
        let before = change_number(&server).await;
        let created = server.admin().post("service/", body).await;
        assert_eq!(created.sequence(), Some(before + 1));
        let id = created.id();
        assert_eq!(
            read(&server, &id).await,
            json!({
                "id": id,
                "name": "Care",
                "version_sets": {"edge": floating(), "release": floating()},
                "description": "For a test.",
                "is_active": is_active,
                "service_hierarchical_state_machine_id": graph,
                "agent_id": agent,
                "tags": [{"key": "team", "value": "care"}, {"key": "flag", "value": null}],
                "keyterms": ["brindlemoor", "root canal"],
                "creator": user,
                "updated_by": user,
            })
        );
        for set in ["edge", "release"] {
            assert_eq!(actions(&server, &id, set).await, ["create"]);
        }
    }
}

#[both_engines]
async fn release_pins_what_a_new_service_asks_for(server: TestServer) {
    let (agent, graph) = binding(&server, 2).await;
    let with_models = with_model(
        version_set(2, None),
        "engage-user",
        MODEL,
        json!({"temperature": 0.5}),
    );
    let requests = [
        version_set(1, 2),
        version_set(2, None),
        version_set(None, 1),
        floating(),
        with_models,
    ];
    for (number, release) in requests.into_iter().enumerate() {
        let body = service_body(&format!("Care {number}"), &agent, &graph);
        let id = create(&server, with(body, &json!({"release_version_set": release}))).await;
        let sets = &read(&server, &id).await["version_sets"];
        assert_eq!(*sets, json!({"edge": floating(), "release": release}));
        let first = &history(&server, &id, "release").await[0];
        let expected = |pin: &Value| pin.as_i64().unwrap_or(2);
        assert_eq!(
            first.resolved.agent_version.unwrap().get(),
            expected(&release["agent_version_number"])
        );
        let pin = &release["service_hierarchical_state_machine_version_number"];
        assert_eq!(first.resolved.context_graph_version.unwrap().get(), expected(pin));
    }
    let body = service_body("Care of null", &agent, &graph);
    let id = create(&server, with(body, &json!({"release_version_set": null}))).await;
    assert_eq!(read(&server, &id).await["version_sets"]["release"], floating());
}

#[both_engines]
async fn blanks_around_texts_are_cut_and_unknown_fields_ignored(server: TestServer) {
    let changes = json!({"name": " Care\n", "description": "\tHelps. ", "keyterms": [" filling "],
        "tags": {" team ": " care "}, "extra": {"anything": 1}});
    let id = create(&server, with(new_body(&server, "").await, &changes)).await;
    let service = read(&server, &id).await;
    assert_eq!(
        (&service["name"], &service["description"]),
        (&json!("Care"), &json!("Helps."))
    );
    assert_eq!(service["keyterms"], json!(["filling"]));
    assert_eq!(service["tags"], json!([{"key": "team", "value": "care"}]));
    assert_eq!(service.get("extra"), None);
}

#[both_engines]
async fn only_one_active_service_has_a_name(server: TestServer) {
    let body = new_body(&server, "Care").await;
    let inactive = with(body.clone(), &json!({"is_active": false}));
    let first = create(&server, body.clone()).await;
    let before = change_number(&server).await;
    for taken in [body.clone(), with(body.clone(), &json!({"name": " Care "}))] {
        let refused = server.admin().post("service/", taken).await;
        assert_eq!(refused.status, 409);
        assert!(refused.detail().contains(&first), "{}", refused.detail());
    }
    assert_eq!(change_number(&server).await, before);
    create(&server, with(body.clone(), &json!({"name": "care"}))).await;
    create(&server, inactive.clone()).await;
    create(&server, inactive).await;
    assert_updated(&update(&server, &first, json!({"is_active": false})).await);
    create(&server, body).await;
}

#[both_engines]
async fn organizations_do_not_share_names(server: TestServer) {
    create(&server, new_body(&server, "Care").await).await;
    let (agent, graph) = foreign_binding(&server).await;
    server
        .stranger()
        .post("service/", service_body("Care", &agent, &graph))
        .await
        .id();
}

#[both_engines]
async fn a_service_runs_on_an_agent_and_a_graph_that_are_there(server: TestServer) {
    let (agent, graph) = binding(&server, 1).await;
    let other = "abcdefabcdefabcdefabcdef";
    let before = change_number(&server).await;
    let no_agent = format!("no agent {UNKNOWN_ID}");
    let no_graph = format!("no context graph {other}");
    for (agent, graph, told) in [
        (UNKNOWN_ID, graph.as_str(), vec![&no_agent]),
        (agent.as_str(), other, vec![&no_graph]),
        (UNKNOWN_ID, other, vec![&no_agent, &no_graph]),
    ] {
        let answer = server
            .admin()
            .post("service/", service_body("Care", agent, graph))
            .await;
        assert_eq!(answer.status, 404);
        assert!(
            told.iter().all(|text| answer.detail().contains(*text)),
            "{}",
            answer.detail()
        );
    }
    // Another organization's are not there either, and an agent is no graph.
    let body = service_body("Care", &agent, &graph);
    assert_eq!(server.stranger().post("service/", body).await.status, 404);
    let swapped = service_body("Care", &graph, &agent);
    assert_eq!(server.admin().post("service/", swapped).await.status, 404);
    assert_eq!(change_number(&server).await, before);
}

#[both_engines]
async fn a_new_service_needs_living_assets_that_have_versions(server: TestServer) {
    let (agent, graph) = binding(&server, 1).await;
    let (empty_agent, empty_graph) = binding(&server, 0).await;
    let (old_agent, old_graph) = binding(&server, 1).await;
    deprecate_agent(&server, &old_agent).await;
    deprecate_context_graph(&server, &old_graph).await;
    let before = change_number(&server).await;
    let no_agent_versions = format!("agent {empty_agent} has no versions yet");
    let no_graph_versions = format!("context graph {empty_graph} has no versions yet");
    let old_agent_told = format!("agent {old_agent} is deprecated");
    let old_graph_told = format!("context graph {old_graph} is deprecated");
    for (agent, graph, told) in [
        (&empty_agent, &graph, vec![no_agent_versions.as_str()]),
        (&agent, &empty_graph, vec![no_graph_versions.as_str()]),
        (
            &empty_agent,
            &empty_graph,
            vec![no_agent_versions.as_str(), no_graph_versions.as_str()],
        ),
        (&old_agent, &graph, vec![old_agent_told.as_str()]),
        (&agent, &old_graph, vec![old_graph_told.as_str()]),
        (
            &old_agent,
            &empty_graph,
            vec![old_agent_told.as_str(), no_graph_versions.as_str()],
        ),
    ] {
        for is_active in [true, false] {
            let body = with(
                service_body("Care", agent, graph),
                &json!({"is_active": is_active}),
            );
            assert_refused(&server.admin().post("service/", body).await, &told);
        }
    }
    assert_eq!(change_number(&server).await, before);
}

#[both_engines]
async fn release_pins_versions_of_the_services_own_agent_and_graph(server: TestServer) {
    // The other one's versions do not count: the agent has two, the graph has one.
    let (agent, graph) = (server.agent(2).await, server.context_graph(1).await);
    let before = change_number(&server).await;
    for number in [0, -1, 3, 99, i64::MAX, i64::MIN] {
        let told = format!("agent {agent} has no version {number}; its newest version is 2");
        let body = service_body("Care", &agent, &graph);
        let body = with(body, &json!({"release_version_set": version_set(number, 1)}));
        assert_refused(
            &server.admin().post("service/", body).await,
            &["version set `release`: ", &told],
        );
    }
    for number in [0, -1, 2, 99, i64::MAX] {
        let told = format!("version set `release`: context graph {graph} has no version {number}");
        let body = service_body("Care", &agent, &graph);
        let body = with(body, &json!({"release_version_set": version_set(None, number)}));
        assert_refused(&server.admin().post("service/", body).await, &[&told]);
    }
    assert_eq!(change_number(&server).await, before);
}

#[both_engines]
async fn release_prefers_models_that_can_be_used(server: TestServer) {
    let body = new_body(&server, "Care").await;
    let before = change_number(&server).await;
    for (model, params, told) in [
        ("nobodys_model", json!({}), "there is no model `nobodys_model`"),
        ("retired_model", json!({}), "model `retired_model` is retired"),
        (MODEL, json!({"temperature": 9}), "not admitted by the schema of"),
        (MODEL, json!({"temprature": 1}), "not admitted by the schema of"),
    ] {
        let release = with_model(floating(), "engage-user", model, params);
        let body = with(body.clone(), &json!({"release_version_set": release}));
        let refused = server.admin().post("service/", body).await;
        assert_refused(
            &refused,
            &["version set `release`: llm_model_preferences.engage-user", told],
        );
    }
    assert_eq!(change_number(&server).await, before);
    let release = with_model(
        floating(),
        "engage-user",
        "retiring_model",
        json!({"anything": [1]}),
    );
    create(&server, with(body, &json!({"release_version_set": release}))).await;
}

#[both_engines]
async fn every_reason_against_a_new_service_is_told_at_once(server: TestServer) {
    let (agent, graph) = (server.agent(1).await, server.context_graph(0).await);
    deprecate_agent(&server, &agent).await;
    let release = with_model(version_set(7, 8), "a", "nobodys_model", json!({}));
    let release = with_model(release, "b", "retired_model", json!({}));
    let release = with_model(release, "c", MODEL, json!({"temperature": "warm"}));
    let body = with(
        service_body("Care", &agent, &graph),
        &json!({"release_version_set": release}),
    );
    assert_refused(
        &server.admin().post("service/", body).await,
        &[
            &format!("agent {agent} is deprecated"),
            &format!("context graph {graph} has no versions yet"),
            &format!("agent {agent} has no version 7"),
            &format!("context graph {graph} has no version 8; it has no versions yet"),
            "llm_model_preferences.a: there is no model",
            "llm_model_preferences.b: model `retired_model` is retired",
            "llm_model_preferences.c.params: ",
        ],
    );
}

#[both_engines]
async fn creating_a_service_takes_the_permissions_on_it_and_both_sets(server: TestServer) {
    let (agent, graph) = binding(&server, 1).await;
    let user = server.user(DefaultRole::User).await;
    assert_eq!(
        user.post("service/", service_body("Care", &agent, &graph))
            .await
            .status,
        403
    );
    let fields = ServiceFields {
        name: "Care".to_owned(),
        description: "d".to_owned(),
        is_active: true,
        agent_id: agent.parse().unwrap(),
        context_graph_id: graph.parse().unwrap(),
        tags: [].into(),
        keyterms: Vec::new(),
    };
    let before = change_number(&server).await;
    let named = |name| json!({"service_name": {"type": "Equals", "value": name}});
    let set = |name| json!({"version_set_name": {"type": "Equals", "value": name}});
    let create = async |grants| {
        services::create(
            forge_app::Ctx::new(&server.app, &server.caller(grants)),
            &fields,
            None,
        )
        .await
    };
    let (service, sets) = ("Service:CreateService", "Service:CreateVersionSet");
    assert_forbidden(create(vec![parsed_grant(sets, json!({}))]).await, service);
    assert_forbidden(create(vec![parsed_grant(service, json!({}))]).await, sets);
    assert_forbidden(
        create(vec![
            parsed_grant(service, named("Sales")),
            parsed_grant(sets, json!({})),
        ])
        .await,
        service,
    );
    assert_forbidden(
        create(vec![
            parsed_grant(service, json!({})),
            parsed_grant(sets, named("Sales")),
        ])
        .await,
        sets,
    );
    assert_forbidden(
        create(vec![
            parsed_grant(service, json!({})),
            parsed_grant(sets, set("edge")),
        ])
        .await,
        sets,
    );
    assert_forbidden(
        create(vec![
            parsed_grant(service, json!({})),
            parsed_grant(sets, set("release")),
        ])
        .await,
        sets,
    );
    assert_eq!(change_number(&server).await, before);
    let mut enough = vec![
        parsed_grant(service, named("Care")),
        parsed_grant(sets, set("edge")),
        parsed_grant(sets, set("release")),
    ];
    for (lacking, other) in [
        (
            "Organization:GetAgent",
            "Organization:GetServiceHierarchicalStateMachine",
        ),
        (
            "Organization:GetServiceHierarchicalStateMachine",
            "Organization:GetAgent",
        ),
    ] {
        assert_forbidden(
            create([enough.clone(), vec![parsed_grant(other, json!({}))]].concat()).await,
            lacking,
        );
    }
    enough.extend(
        [
            "Organization:GetAgent",
            "Organization:GetServiceHierarchicalStateMachine",
        ]
        .map(|name| parsed_grant(name, json!({}))),
    );
    create(enough).await.unwrap();
}
