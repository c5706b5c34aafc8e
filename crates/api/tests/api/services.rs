//! Services: creation, lists, changes, and what a change of the agent or context graph does to the sets.

use std::cmp::Ordering;

use forge_app::services::{self, ListServices, SortKey};
use forge_app::version_sets::promotion::ChangeOptions;
use forge_domain::access::{DefaultRole, Grant};
use forge_domain::version_set::ResolvedPins;
use forge_store::ServiceFields;
use forge_testkit::{
    TestClient, TestResponse, TestServer, agent_version, both_engines, context_graph_version, service_body,
    version_set,
};
use serde_json::{Value, json};

use crate::support::assertions::{assert_forbidden, assert_invalid, assert_refused};
use crate::support::bodies::MAX_BODY;
use crate::support::grants::parsed_grant;
use crate::support::ids::UNKNOWN_ID;
use crate::support::models::{MODEL, with_model};
use crate::support::organization::{a_day_later, change_number};
use crate::support::revisions::{actions, history};

/// Returns the body with some fields replaced.
fn with(mut body: Value, changes: &Value) -> Value {
    body.as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    body
}

fn without(mut body: Value, field: &str) -> Value {
    body.as_object_mut().unwrap().remove(field).unwrap();
    body
}

fn floating() -> Value {
    version_set(None, None)
}

/// Returns an agent and a context graph of that many versions each.
async fn binding(server: &TestServer, versions: usize) -> (String, String) {
    (server.agent(versions).await, server.context_graph(versions).await)
}

/// Returns an agent and a context graph of the other organization.
async fn foreign_binding(server: &TestServer) -> (String, String) {
    let (stranger, graphs) = (
        server.stranger(),
        "organization/service_hierarchical_state_machine",
    );
    let agent = stranger
        .post("organization/agent", json!({"agent_name": "Mira"}))
        .await
        .id();
    let graph = stranger
        .post(graphs, json!({"state_machine_name": "Care"}))
        .await
        .id();
    for (path, version) in [
        (format!("organization/agent/{agent}/"), agent_version()),
        (format!("{graphs}/{graph}/"), context_graph_version()),
    ] {
        assert_eq!(stranger.post(&path, version).await.status, 201);
    }
    (agent, graph)
}

/// Returns the body that creates a service on a new agent and graph.
async fn new_body(server: &TestServer, name: &str) -> Value {
    let (agent, graph) = binding(server, 1).await;
    service_body(name, &agent, &graph)
}

/// Creates a service and returns its id.
async fn create(server: &TestServer, body: Value) -> String {
    server.admin().post("service/", body).await.id()
}

/// Returns a service as the list has it.
async fn read(server: &TestServer, id: &str) -> Value {
    let answer = server.admin().get(&format!("service/?id={id}")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body["services"].as_array().unwrap().len(),
        1,
        "{}",
        answer.body
    );
    answer.body["services"][0].clone()
}

async fn update(server: &TestServer, id: &str, body: Value) -> TestResponse {
    server.admin().post(&format!("service/{id}/"), body).await
}

#[track_caller]
fn assert_updated(answer: &TestResponse) {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body, json!({}));
    assert!(answer.sequence().is_some());
}

async fn put_set(server: &TestServer, service: &str, set: &str, pins: Value) {
    let path = format!("service/{service}/version_sets/{set}/");
    let answer = server.admin().put(&path, json!({"version_set": pins})).await;
    assert_eq!(answer.status, 204, "{}", answer.body);
}

async fn delete_set(server: &TestServer, service: &str, set: &str) {
    let answer = server
        .admin()
        .delete(&format!("service/{service}/version_sets/{set}/"))
        .await;
    assert_eq!(answer.status, 204, "{}", answer.body);
}

async fn deprecate_agent(server: &TestServer, id: &str) {
    assert_eq!(
        server
            .admin()
            .delete(&format!("organization/agent/{id}/"))
            .await
            .status,
        200
    );
}

async fn deprecate_context_graph(server: &TestServer, id: &str) {
    let path = format!("organization/service_hierarchical_state_machine/{id}/");
    assert_eq!(server.admin().delete(&path).await.status, 200);
}

// Creation.

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
async fn a_new_services_fields_are_all_checked(server: TestServer) {
    let body = new_body(&server, "Care").await;
    let before = change_number(&server).await;
    for field in body.as_object().unwrap().keys() {
        let answer = server
            .admin()
            .post("service/", without(body.clone(), field))
            .await;
        assert_invalid(&answer, &[&format!("body.{field}: missing")]);
        let answer = server
            .admin()
            .post("service/", with(body.clone(), &json!({field: null})))
            .await;
        assert_invalid(&answer, &[&format!("body.{field}: type")]);
    }
    for (changes, faults) in [
        (json!({"name": ""}), ["body.name: string_too_short"].as_slice()),
        (json!({"name": " \n"}), &["body.name: string_too_short"]),
        (json!({"name": 7}), &["body.name: type"]),
        (
            json!({"description": " "}),
            &["body.description: string_too_short"],
        ),
        (json!({"is_active": "true"}), &["body.is_active: type"]),
        (
            json!({"agent_id": "x"}),
            &["body.agent_id: string_pattern_mismatch"],
        ),
        (
            json!({"agent_id": UNKNOWN_ID.to_uppercase()}),
            &["body.agent_id: string_pattern_mismatch"],
        ),
        (
            json!({"service_hierarchical_state_machine_id": "0123"}),
            &["body.service_hierarchical_state_machine_id: string_pattern_mismatch"],
        ),
        (
            json!({"release_version_set": []}),
            &["body.release_version_set: type"],
        ),
        (
            json!({"release_version_set": {}}),
            &[
                "body.release_version_set.agent_version_number: missing",
                "body.release_version_set.service_hierarchical_state_machine_version_number: missing",
                "body.release_version_set.llm_model_preferences: missing",
            ],
        ),
        (
            json!({"name": "", "tags": 1}),
            &["body.name: string_too_short", "body.tags: type"],
        ),
    ] {
        let answer = server
            .admin()
            .post("service/", with(body.clone(), &changes))
            .await;
        assert_invalid(&answer, faults);
    }
    assert_eq!(change_number(&server).await, before);
}

#[both_engines]
async fn tags_and_keyterms_follow_their_patterns_and_limits(server: TestServer) {
    let body = with(new_body(&server, "Care").await, &json!({"is_active": false}));
    let tags = |count: usize| -> Value { (0..count).map(|n| (format!("tag {n}"), json!("x"))).collect() };
    let words = |count: usize| -> Value { (0..count).map(|_| json!("root canal")).collect() };
    for good in [
        json!({"tags": tags(20), "keyterms": words(20)}),
        json!({"tags": {"équipe du soir": "naïve_2", "量": null}}),
        json!({"keyterms": ["a", "three small words", "co-pay", "--"]}),
    ] {
        let id = create(&server, with(body.clone(), &good)).await;
        assert_updated(&update(&server, &id, json!({"tags": {}, "keyterms": ["x"]})).await);
        assert_updated(&update(&server, &id, good).await);
    }
    let id = create(&server, body.clone()).await;
    let before = change_number(&server).await;
    for (bad, fault) in [
        (json!({"tags": tags(21)}), "body.tags: too_long"),
        (
            json!({"tags": {"a:b": "x"}}),
            "body.tags: string_pattern_mismatch",
        ),
        (
            json!({"tags": {"a-b": null}}),
            "body.tags: string_pattern_mismatch",
        ),
        (
            json!({"tags": {"a": "x*"}}),
            "body.tags.a: string_pattern_mismatch",
        ),
        (json!({"tags": {"a": 1}}), "body.tags.a: type"),
        (json!({"tags": ["a"]}), "body.tags: type"),
        (json!({"keyterms": words(21)}), "body.keyterms: too_long"),
        (
            json!({"keyterms": ["ok", "Upper"]}),
            "body.keyterms.1: string_pattern_mismatch",
        ),
        (
            json!({"keyterms": ["now four small words"]}),
            "body.keyterms.0: string_pattern_mismatch",
        ),
        (
            json!({"keyterms": ["two  blanks"]}),
            "body.keyterms.0: string_pattern_mismatch",
        ),
        (
            json!({"keyterms": ["dentist2"]}),
            "body.keyterms.0: string_pattern_mismatch",
        ),
        (json!({"keyterms": [null]}), "body.keyterms.0: type"),
        (json!({"keyterms": "a"}), "body.keyterms: type"),
    ] {
        assert_invalid(
            &server.admin().post("service/", with(body.clone(), &bad)).await,
            &[fault],
        );
        assert_invalid(&update(&server, &id, bad).await, &[fault]);
    }
    for bad in [
        json!({"tags": {"": null}}),
        json!({"tags": {"a": " "}}),
        json!({"keyterms": [""]}),
    ] {
        assert_eq!(
            server
                .admin()
                .post("service/", with(body.clone(), &bad))
                .await
                .status,
            422
        );
        assert_eq!(update(&server, &id, bad).await.status, 422);
    }
    assert_eq!(change_number(&server).await, before);
}

#[both_engines]
async fn a_body_that_is_too_large_is_refused(server: TestServer) {
    let id = server.service(1).await;
    let body = with(
        new_body(&server, "Care").await,
        &json!({"description": "x".repeat(MAX_BODY)}),
    );
    let before = change_number(&server).await;
    assert_eq!(server.admin().post("service/", body.clone()).await.status, 413);
    assert_eq!(update(&server, &id, body).await.status, 413);
    assert_eq!(change_number(&server).await, before);
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

// Lists.

/// A service as far as lists sort it.
struct Row {
    id: String,
    name: &'static str,
    is_active: bool,
}

/// Creates services with equal names, some of them active, and returns them in order of creation.
async fn rows_with_ties(server: &TestServer) -> Vec<Row> {
    let (agent, graph) = binding(server, 1).await;
    let mut rows = Vec::new();
    for (name, is_active) in [
        ("b", false),
        ("a", true),
        ("é", true),
        ("b", true),
        ("a", false),
        ("B", false),
        ("a", false),
        ("ab", true),
        ("b", false),
    ] {
        let changes = json!({"is_active": is_active, "tags": {"letter": name.to_lowercase()}});
        let id = create(server, with(service_body(name, &agent, &graph), &changes)).await;
        rows.push(Row { id, name, is_active });
    }
    rows
}

/// Returns every order that can be asked for; the default one first.
fn orders() -> Vec<Vec<&'static str>> {
    let (names, activities) = (["+name", "-name"], ["+is_active", "-is_active"]);
    let mut orders = vec![vec![]];
    orders.extend(names.iter().chain(&activities).map(|key| vec![*key]));
    for (name, activity) in names
        .iter()
        .flat_map(|name| activities.iter().map(move |activity| (*name, *activity)))
    {
        orders.extend([vec![name, activity], vec![activity, name]]);
    }
    orders.push(vec!["-name", "+is_active", "+name"]);
    orders
}

/// Returns the ids in the order asked for; equal rows stay in order of creation.
fn sorted<'r>(rows: impl Iterator<Item = &'r Row>, order: &[&str]) -> Vec<&'r str> {
    let mut rows: Vec<&Row> = rows.collect();
    rows.sort_by(|left, right| {
        let by_key = |key: &&str| {
            let (sign, field) = key.split_at(1);
            let ordering = if field == "name" {
                left.name.cmp(right.name)
            } else {
                left.is_active.cmp(&right.is_active)
            };
            if sign == "-" { ordering.reverse() } else { ordering }
        };
        order
            .iter()
            .map(by_key)
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal)
    });
    rows.into_iter().map(|row| row.id.as_str()).collect()
}

/// Reads a list to its end and returns the ids of each page.
async fn pages(client: &TestClient, query: &str, limit: usize) -> Vec<Vec<String>> {
    let mut pages: Vec<Vec<String>> = Vec::new();
    let mut token = json!(0);
    while !token.is_null() {
        let answer = client
            .get(&format!(
                "service/?{query}&limit={limit}&continuation_token={token}"
            ))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let rows = answer.body["services"].as_array().unwrap();
        pages.push(
            rows.iter()
                .map(|row| row["id"].as_str().unwrap().to_owned())
                .collect(),
        );
        assert_eq!(
            answer.body["filter_values"].is_null(),
            token != json!(0),
            "only the first page has filter values"
        );
        token = answer.body["continuation_token"].clone();
        assert_eq!(answer.body["has_more"], json!(!token.is_null()));
        assert!(
            token.is_null() || rows.len() == limit,
            "only the last page may have room left"
        );
        assert!(pages.len() < 100, "paging ends");
    }
    pages
}

fn order_query(order: &[&str]) -> String {
    let keys: Vec<String> = order
        .iter()
        .map(|key| format!("&sort_by={}", key.replace('+', "%2B")))
        .collect();
    keys.concat()
}

/// Returns the names of the services that a query finds, in its order.
async fn names(client: &TestClient, query: &str) -> Vec<String> {
    let answer = client.get(&format!("service/?limit=20&{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let rows = answer.body["services"].as_array().unwrap();
    rows.iter()
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}

fn everything() -> ListServices {
    ListServices {
        ids: Vec::new(),
        is_active: None,
        tags: Vec::new(),
        sort: Vec::new(),
        limit: 20,
        continuation_token: 0,
    }
}

#[both_engines]
async fn every_order_and_page_size_gives_every_service_once(server: TestServer) {
    let rows = rows_with_ties(&server).await;
    for order in orders() {
        let expected = sorted(rows.iter(), &order);
        for limit in [1, 2, 3, 9, 20] {
            let pages = pages(server.admin(), &order_query(&order), limit).await;
            assert_eq!(pages.len(), rows.len().div_ceil(limit), "{order:?}");
            assert_eq!(pages.concat(), expected, "{order:?}, {limit} a page");
        }
    }
}

#[both_engines]
async fn filtered_lists_are_paged_in_every_order_too(server: TestServer) {
    type Filter = (String, fn(&Row) -> bool);
    let rows = rows_with_ties(&server).await;
    let all_ids: Vec<String> = rows.iter().rev().map(|row| format!("&id={}", row.id)).collect();
    let all_ids = all_ids.concat();
    let filters: [Filter; 5] = [
        ("&is_active=true".to_owned(), |row| row.is_active),
        ("&is_active=false".to_owned(), |row| !row.is_active),
        ("&tags=letter:b".to_owned(), |row| row.name.to_lowercase() == "b"),
        (all_ids.clone(), |_| true),
        (format!("{all_ids}&is_active=false&tags=letter:a"), |row| {
            !row.is_active && row.name == "a"
        }),
    ];
    for order in orders() {
        for (filter, keep) in &filters {
            let expected = sorted(rows.iter().filter(|row| keep(row)), &order);
            let pages = pages(server.admin(), &format!("{}{filter}", order_query(&order)), 2).await;
            assert_eq!(pages.concat(), expected, "{order:?} with {filter}");
            assert_eq!(pages.len(), expected.len().div_ceil(2), "{order:?} with {filter}");
        }
    }
}

#[both_engines]
async fn a_service_created_while_a_list_is_read_moves_no_other(server: TestServer) {
    let rows = rows_with_ties(&server).await;
    let first = server.admin().get("service/?sort_by=-name&limit=4").await;
    let token = &first.body["continuation_token"];
    create(
        &server,
        with(new_body(&server, "zz").await, &json!({"is_active": false})),
    )
    .await;
    let second = server
        .admin()
        .get(&format!(
            "service/?sort_by=-name&limit=20&continuation_token={token}"
        ))
        .await;
    let found = [&first, &second]
        .map(|page| page.body["services"].as_array().unwrap().clone())
        .concat();
    let found: Vec<&str> = found.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(found, sorted(rows.iter(), &["-name"]));
}

#[both_engines]
async fn a_page_has_ten_services_unless_asked_otherwise(server: TestServer) {
    let (agent, graph) = binding(&server, 1).await;
    for number in 0..12 {
        create(&server, service_body(&format!("s{number}"), &agent, &graph)).await;
    }
    let page = server.admin().get("service/").await;
    assert_eq!(page.body["services"].as_array().unwrap().len(), 10);
    assert_eq!(page.body["has_more"], json!(true));
    let page = server.admin().get("service/?limit=20").await;
    assert_eq!(page.body["services"].as_array().unwrap().len(), 12);
    for limit in ["0", "21", "-1", "ten", "1.5", ""] {
        assert_eq!(
            server
                .admin()
                .get(&format!("service/?limit={limit}"))
                .await
                .status,
            422,
            "{limit}"
        );
    }
    assert_invalid(
        &server.admin().get("service/?limit=0").await,
        &["query.limit: greater_than"],
    );
    assert_invalid(
        &server.admin().get("service/?limit=21").await,
        &["query.limit: less_than_equal"],
    );
}

#[both_engines]
async fn services_are_found_by_id_and_activity(server: TestServer) {
    let rows = rows_with_ties(&server).await;
    let id = |n: usize| rows[n].id.as_str();
    let found = async |query: &str| pages(server.admin(), query, 20).await.concat();
    assert_eq!(found(&format!("id={}", id(3))).await, [id(3)]);
    assert_eq!(found(&format!("id={}&id={}", id(3), id(1))).await, [id(1), id(3)]);
    assert_eq!(found(&format!("id={UNKNOWN_ID}&id={}", id(1))).await, [id(1)]);
    assert!(found(&format!("id={UNKNOWN_ID}")).await.is_empty());
    assert_eq!(
        found(&format!("id={}&id={}&is_active=false", id(0), id(1))).await,
        [id(0)]
    );
    assert_eq!(found("is_active=true").await, [id(1), id(2), id(3), id(7)]);
}

#[both_engines]
async fn tags_are_filtered_by_value_any_value_or_none_and_all_must_fit(server: TestServer) {
    let (agent, graph) = binding(&server, 1).await;
    for (name, tags) in [
        ("none", json!({})),
        ("care", json!({"team": "care", "flag": null})),
        ("sales", json!({"team": "sales"})),
        ("null", json!({"team": null})),
        ("inactive", json!({"team": "care", "shift": "late night"})),
    ] {
        let changes = json!({"tags": tags, "is_active": name != "inactive"});
        create(&server, with(service_body(name, &agent, &graph), &changes)).await;
    }
    let found = async |query: &str| names(server.admin(), query).await;
    assert_eq!(found("tags=team:care").await, ["care", "inactive"]);
    assert_eq!(found("tags=team:*").await, ["care", "sales", "null", "inactive"]);
    assert_eq!(found("tags=team:").await, ["null"]);
    assert_eq!(found("tags=shift:late%20night").await, ["inactive"]);
    assert_eq!(found("tags=team:care&tags=flag:").await, ["care"]);
    assert_eq!(found("tags=team:care&tags=flag:*&is_active=true").await, ["care"]);
    assert!(found("tags=team:care&tags=team:sales").await.is_empty());
    assert!(found("tags=Team:care").await.is_empty());
    assert!(found("tags=unknown:*").await.is_empty());
    assert!(found("tags=team:**").await.is_empty());
    for bad in ["team", "", ":x", ":", "*"] {
        let answer = server
            .admin()
            .get(&format!("service/?tags=team:care&tags={bad}"))
            .await;
        assert_invalid(&answer, &["query.tags: invalid"]);
    }
    let answer = server.admin().get("service/?tags=team:sales").await;
    let values = ["flag:", "shift:late night", "team:", "team:care", "team:sales"];
    assert_eq!(answer.body["filter_values"], json!({"tags": values}));
}

#[both_engines]
async fn services_are_sorted_only_by_what_is_supported(server: TestServer) {
    rows_with_ties(&server).await;
    for bad in [
        "name",
        "%2Bagent_id",
        "-",
        "%2B",
        "",
        "--name",
        "*name",
        "-NAME",
        "é",
    ] {
        let answer = server
            .admin()
            .get(&format!("service/?sort_by=-name&sort_by={bad}"))
            .await;
        assert_invalid(&answer, &["query.sort_by: invalid"]);
    }
    // A `+` that was not escaped arrives as a blank.
    let (raw, escaped) = (
        "sort_by=+is_active&sort_by=-name",
        "sort_by=%2Bis_active&sort_by=-name",
    );
    assert_eq!(
        names(server.admin(), raw).await,
        names(server.admin(), escaped).await
    );
}

#[both_engines]
async fn a_token_must_come_from_a_page(server: TestServer) {
    let rows = rows_with_ties(&server).await;
    let id = &rows[0].id;
    let by_id = format!("id={id}");
    for query in [
        "",
        "sort_by=-name",
        "sort_by=%2Bis_active&sort_by=-name",
        "is_active=true",
        &by_id,
    ] {
        for token in [1000, i64::MAX] {
            let answer = server
                .admin()
                .get(&format!("service/?{query}&continuation_token={token}"))
                .await;
            assert_invalid(&answer, &["query.continuation_token: unknown_token"]);
        }
        for token in [
            "-1",
            "-9223372036854775808",
            "x",
            "9223372036854775808",
            "1.5",
            "",
        ] {
            let answer = server
                .admin()
                .get(&format!("service/?{query}&continuation_token={token}"))
                .await;
            assert_eq!(answer.status, 422, "{query} {token}");
        }
    }
    let past_the_end = server.admin().get("service/?limit=20&continuation_token=9").await;
    assert_eq!(past_the_end.body["services"], json!([]));
    // A token is worth nothing in another organization.
    let answer = server
        .stranger()
        .get("service/?sort_by=-name&continuation_token=1")
        .await;
    assert_invalid(&answer, &["query.continuation_token: unknown_token"]);
}

#[both_engines]
async fn the_parameters_of_a_list_of_services_are_checked(server: TestServer) {
    for (query, fault) in [
        ("id=x", "query.id.0: string_pattern_mismatch"),
        (&format!("id={UNKNOWN_ID}&id={UNKNOWN_ID}"), "query.id: unique"),
        ("id=", "query.id.0: string_pattern_mismatch"),
        ("is_active=perhaps", "query.is_active: type"),
    ] {
        assert_invalid(&server.admin().get(&format!("service/?{query}")).await, &[fault]);
    }
}

#[both_engines]
async fn a_list_has_only_what_the_caller_may_see_and_its_pages_stay_full(server: TestServer) {
    let (agent, graph) = binding(&server, 1).await;
    for number in 0..60 {
        let changes = json!({"tags": {"number": number.to_string()}});
        create(
            &server,
            with(service_body(&format!("s{number:02}"), &agent, &graph), &changes),
        )
        .await;
    }
    let visible = ["s00", "s17", "s58", "s59"];
    let caller = server.caller(vec![parsed_grant(
        "Service:GetService",
        json!({"service_name": {"type": "In", "values": visible}}),
    )]);
    for sort in [
        vec![],
        vec![(SortKey::Name, true)],
        vec![(SortKey::IsActive, false), (SortKey::Name, false)],
    ] {
        let mut found = Vec::new();
        let mut query = ListServices {
            sort: sort.clone(),
            limit: 2,
            ..everything()
        };
        loop {
            let page = services::list(forge_app::Ctx::new(&server.app, &caller), &query)
                .await
                .unwrap();
            let is_first = query.continuation_token == 0;
            assert_eq!(
                page.tags.map(|tags| tags.len()),
                is_first.then_some(visible.len())
            );
            assert_eq!(
                page.page.items.len(),
                2,
                "pages are filled after filtering, and none is empty"
            );
            found.extend(page.page.items.into_iter().map(|(service, _)| service.name));
            let Some(token) = page.page.continuation_token else {
                break;
            };
            query.continuation_token = token;
        }
        let mut expected = visible;
        if sort == [(SortKey::Name, true)] {
            expected.reverse();
        }
        assert_eq!(found, expected);
    }
    let absent = json!({"version_set_name": {"type": "NotEquals", "value": "x"}});
    let caller = server.caller(vec![parsed_grant("Service:GetService", absent)]);
    assert!(
        services::list(forge_app::Ctx::new(&server.app, &caller), &everything())
            .await
            .unwrap()
            .page
            .items
            .is_empty()
    );
    let caller = server.caller(vec![]);
    let nothing = services::list(forge_app::Ctx::new(&server.app, &caller), &everything())
        .await
        .unwrap();
    assert_eq!(
        (
            nothing.page.items.len(),
            nothing.page.continuation_token,
            nothing.tags
        ),
        (0, None, Some(vec![]))
    );
}

#[both_engines]
async fn a_list_of_services_tells_what_those_sets_pin_that_the_caller_may_see(server: TestServer) {
    let id = server.service(2).await;
    put_set(&server, &id, "test", version_set(1, 2)).await;
    let list = async |grants: Vec<Grant>| {
        let page = services::list(
            forge_app::Ctx::new(&server.app, &server.caller(grants)),
            &everything(),
        )
        .await
        .unwrap()
        .page;
        let (_, sets) = &page.items[0];
        sets.iter().map(|set| set.name.to_string()).collect::<Vec<_>>()
    };
    let services = parsed_grant("Service:GetService", json!({}));
    assert_eq!(list(vec![services.clone()]).await, Vec::<String>::new());
    let only_test = json!({"version_set_name": {"type": "Equals", "value": "test"}});
    assert_eq!(
        list(vec![
            services.clone(),
            parsed_grant("Service:GetVersionSet", only_test)
        ])
        .await,
        ["test"]
    );
    let all = parsed_grant("Service:GetVersionSet", json!({}));
    assert_eq!(list(vec![services, all]).await, ["edge", "release", "test"]);
    let user = server.user(DefaultRole::User).await;
    assert_eq!(
        user.get("service/").await.body["services"][0]["version_sets"],
        json!({})
    );
}

#[both_engines]
async fn whoever_may_see_them_is_told_the_live_sets_by_name(server: TestServer) {
    let id = server.service(2).await;
    for set in ["test", "preview", "B", "gone"] {
        put_set(&server, &id, set, version_set(1, 2)).await;
    }
    delete_set(&server, &id, "gone").await;
    let user = server.user(DefaultRole::Administrator).await;
    let answer = user.get("service/").await;
    let sets = answer.body["services"][0]["version_sets"].as_object().unwrap();
    let names: Vec<&str> = sets.keys().map(String::as_str).collect();
    assert_eq!(names, ["B", "edge", "preview", "release", "test"]);
    assert_eq!(sets["test"], version_set(1, 2));
}

// Changes.

#[both_engines]
async fn each_field_of_a_service_changes_alone(server: TestServer) {
    let id = create(&server, new_body(&server, "Care").await).await;
    let (agent, graph) = binding(&server, 1).await;
    let author = server.user(DefaultRole::Administrator).await;
    for (field, value) in [
        ("name", json!("Sales")),
        ("description", json!("Sells.")),
        ("is_active", json!(false)),
        ("is_active", json!(true)),
        ("agent_id", json!(agent)),
        ("service_hierarchical_state_machine_id", json!(graph)),
        ("tags", json!({"team": null, "shift": "late"})),
        ("keyterms", json!(["crown"])),
    ] {
        let (mut expected, before) = (read(&server, &id).await, change_number(&server).await);
        assert_eq!(expected["creator"]["user_id"], json!(server.admin().user_id));
        let answer = author
            .post(&format!("service/{id}/"), json!({field: value}))
            .await;
        assert_updated(&answer);
        assert_eq!(answer.sequence(), Some(before + 1));
        expected[field] = value;
        if field == "tags" {
            expected[field] = json!([{"key": "team", "value": null}, {"key": "shift", "value": "late"}]);
        }
        expected["updated_by"]["user_id"] = json!(author.user_id);
        assert_eq!(read(&server, &id).await, expected);
    }
    assert_updated(&update(&server, &id, json!({"tags": {}, "keyterms": []})).await);
    let service = read(&server, &id).await;
    assert_eq!((&service["tags"], &service["keyterms"]), (&json!([]), &json!([])));
}

#[both_engines]
async fn what_is_null_or_absent_or_the_same_is_left_alone_and_nothing_is_written(server: TestServer) {
    let changes = json!({"tags": {"team": "care", "flag": null}, "keyterms": ["crown"]});
    let body = with(new_body(&server, "Care").await, &changes);
    let id = create(&server, body.clone()).await;
    let (service, before) = (read(&server, &id).await, change_number(&server).await);
    let fields = body.as_object().unwrap().keys();
    let nulls: Value = fields.map(|field| (field.clone(), Value::Null)).collect();
    let reordered = json!({"tags": {"flag": null, "team": "care"}, "name": " Care "});
    for same in [json!({}), nulls, body, reordered, json!({"unknown": true})] {
        let answer = update(&server, &id, same).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (200, &json!({})));
        assert_eq!(answer.sequence(), None);
    }
    assert_eq!(change_number(&server).await, before);
    assert_eq!(read(&server, &id).await, service);
    assert_eq!(actions(&server, &id, "release").await, ["create"]);
}

#[both_engines]
async fn a_service_that_is_not_there_cannot_be_changed(server: TestServer) {
    let id = server.service(1).await;
    let unknown = update(&server, UNKNOWN_ID, json!({"name": "x"})).await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.detail().contains(UNKNOWN_ID));
    let foreign = server
        .stranger()
        .post(&format!("service/{id}/"), json!({"name": "x"}))
        .await;
    assert_eq!(foreign.status, 404);
    let malformed = update(&server, "x", json!({"name": "x"})).await;
    assert_invalid(&malformed, &["path.service_id: string_pattern_mismatch"]);
}

#[both_engines]
async fn a_changes_fields_are_all_checked(server: TestServer) {
    let id = server.service(1).await;
    let before = change_number(&server).await;
    for (changes, fault) in [
        (json!({"name": " "}), "body.name: string_too_short"),
        (json!({"name": 1}), "body.name: type"),
        (json!({"description": ""}), "body.description: string_too_short"),
        (json!({"is_active": 1}), "body.is_active: type"),
        (json!({"agent_id": "x"}), "body.agent_id: string_pattern_mismatch"),
        (
            json!({"service_hierarchical_state_machine_id": ""}),
            "body.service_hierarchical_state_machine_id: string_pattern_mismatch",
        ),
        (json!([]), "body: type"),
    ] {
        assert_invalid(&update(&server, &id, changes).await, &[fault]);
    }
    assert_eq!(change_number(&server).await, before);
}

#[both_engines]
async fn a_taken_name_can_be_got_neither_by_activation_nor_by_renaming(server: TestServer) {
    let body = new_body(&server, "Care").await;
    let first = create(&server, body.clone()).await;
    let inactive = create(&server, with(body.clone(), &json!({"is_active": false}))).await;
    let other = create(&server, with(body, &json!({"name": "Sales"}))).await;
    let before = change_number(&server).await;
    for (id, changes) in [
        (&inactive, json!({"is_active": true})),
        (&other, json!({"name": "Care"})),
        (&inactive, json!({"name": "Sales", "is_active": true})),
    ] {
        assert_eq!(update(&server, id, changes).await.status, 409);
    }
    assert_eq!(change_number(&server).await, before);
    // Under another name, and once the name is free, it may.
    assert_updated(
        &update(
            &server,
            &inactive,
            json!({"name": "Night care", "is_active": true}),
        )
        .await,
    );
    assert_updated(&update(&server, &first, json!({"is_active": false})).await);
    assert_updated(&update(&server, &other, json!({"name": "Care"})).await);
    assert_updated(&update(&server, &inactive, json!({"name": "Care", "is_active": false})).await);
}

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

#[both_engines]
async fn changing_a_service_takes_the_permission_on_its_old_and_its_new_name(server: TestServer) {
    let id = create(&server, new_body(&server, "Care").await).await;
    let user = server.user(DefaultRole::User).await;
    for id in [id.as_str(), UNKNOWN_ID] {
        assert_eq!(
            user.post(&format!("service/{id}/"), json!({"name": "x"}))
                .await
                .status,
            403
        );
    }
    let permission = "Service:UpdateService";
    let named = |value| {
        parsed_grant(
            permission,
            json!({"service_name": {"type": "Equals", "value": value}}),
        )
    };
    let rename = async |grants, name: &str| {
        let change = services::UpdateService {
            name: Some(name.to_owned()),
            ..Default::default()
        };
        services::update(
            forge_app::Ctx::new(&server.app, &server.caller(grants)),
            id.parse().unwrap(),
            change,
            &ChangeOptions::default(),
        )
        .await
    };
    let before = change_number(&server).await;
    assert_forbidden(rename(vec![named("Sales")], "Sales").await, permission);
    assert_forbidden(rename(vec![named("Care")], "Sales").await, permission);
    let absent = json!({"version_set_name": {"type": "NotEquals", "value": "edge"}});
    assert_forbidden(
        rename(vec![parsed_grant(permission, absent)], "Sales").await,
        permission,
    );
    assert_eq!(change_number(&server).await, before);
    let renamed = rename(vec![named("Care"), named("Sales")], "Sales")
        .await
        .unwrap();
    assert_eq!(renamed.change_number, Some(before + 1));
}

// Another agent or context graph.

/// Returns numbers as a revision has them.
fn numbers(agent: i64, context_graph: i64) -> ResolvedPins {
    ResolvedPins {
        agent_version: agent.try_into().ok(),
        context_graph_version: context_graph.try_into().ok(),
    }
}

#[both_engines]
async fn a_rebind_appends_one_revision_to_every_set(server: TestServer) {
    let id = server.service(3).await;
    put_set(&server, &id, "test", version_set(2, 3)).await;
    put_set(
        &server,
        &id,
        "preview",
        with_model(version_set(None, 1), "engage-user", MODEL, json!({})),
    )
    .await;
    let sets = ["edge", "preview", "release", "test"];
    let mut before = Vec::new();
    for set in sets {
        before.push(history(&server, &id, set).await);
    }
    let (agent, graph) = (server.agent(2).await, server.context_graph(4).await);
    let changes =
        json!({"agent_id": agent, "service_hierarchical_state_machine_id": graph, "name": "Rebound"});
    let answer = update(&server, &id, changes).await;
    assert_updated(&answer);
    let resolved = [numbers(2, 4), numbers(2, 1), numbers(2, 4), numbers(2, 3)];
    for ((set, before), resolved) in sets.into_iter().zip(before).zip(resolved) {
        let after = history(&server, &id, set).await;
        assert_eq!(after[..before.len()], before, "history is never rewritten");
        let [rebind] = &after[before.len()..] else {
            panic!("one revision each, not {after:?}")
        };
        let last = before.last().unwrap();
        assert_eq!(
            (rebind.action.as_str(), rebind.revision),
            ("rebind", last.revision + 1)
        );
        assert_eq!(rebind.agent_id.to_string(), agent);
        assert_eq!(rebind.context_graph_id.to_string(), graph);
        assert_eq!((&rebind.pins, rebind.resolved), (&last.pins, resolved), "{set}");
        assert_eq!(Some(rebind.change_number), answer.sequence());
        assert_eq!(rebind.actor.user.user_id, server.admin().user_id);
        let told = server
            .admin()
            .get(&format!("service/{id}/version_sets/{set}/"))
            .await;
        assert_eq!(told.body["revision"], json!(rebind.revision));
        assert_eq!(told.body["resolved"], json!(resolved));
        let resolution = server
            .admin()
            .get(&format!("service/{id}/version_sets/{set}/resolve"))
            .await;
        assert_eq!(
            resolution.body["agent_version_info"],
            json!([agent, resolved.agent_version])
        );
    }
    assert_eq!(read(&server, &id).await["name"], json!("Rebound"));
}

#[both_engines]
async fn either_half_of_a_service_is_rebound_alone(server: TestServer) {
    let id = server.service(2).await;
    put_set(&server, &id, "test", version_set(2, 2)).await;
    let agent = server.agent(2).await;
    assert_updated(&update(&server, &id, json!({"agent_id": agent})).await);
    let graph = server.context_graph(5).await;
    assert_updated(
        &update(
            &server,
            &id,
            json!({"service_hierarchical_state_machine_id": graph}),
        )
        .await,
    );
    let revisions = history(&server, &id, "test").await;
    let [_, first, second] = revisions.as_slice() else {
        panic!("{revisions:?}")
    };
    assert_eq!(
        (first.agent_id, second.agent_id),
        (agent.parse().unwrap(), agent.parse().unwrap())
    );
    assert_ne!(first.context_graph_id, second.context_graph_id);
    assert_eq!(second.resolved, numbers(2, 2));
    let release = history(&server, &id, "release").await;
    assert_eq!(release.last().unwrap().resolved, numbers(2, 5));
}

#[both_engines]
async fn a_rebind_is_refused_while_a_set_pins_a_version_that_the_new_one_lacks(server: TestServer) {
    let id = server.service(3).await;
    put_set(&server, &id, "test", version_set(3, None)).await;
    put_set(&server, &id, "preview", version_set(2, 2)).await;
    put_set(&server, &id, "release", version_set(1, 3)).await;
    let (agent, graph) = (server.agent(1).await, server.context_graph(2).await);
    let (service, before) = (read(&server, &id).await, change_number(&server).await);
    let refused = update(&server, &id, json!({"agent_id": agent})).await;
    let of_agent = [
        "`test` pins version 3 of the agent",
        "`preview` pins version 2 of the agent",
    ];
    assert_refused(&refused, &of_agent);
    assert!(!refused.detail().contains("`release`"), "{}", refused.detail());
    let changes =
        json!({"agent_id": agent, "service_hierarchical_state_machine_id": graph, "name": "Rebound"});
    let refused = update(&server, &id, changes.clone()).await;
    assert_refused(
        &refused,
        &[
            of_agent[0],
            of_agent[1],
            "`release` pins version 3 of the context graph",
        ],
    );
    assert_eq!(change_number(&server).await, before);
    assert_eq!(read(&server, &id).await, service);
    for set in ["test", "preview", "release"] {
        put_set(&server, &id, set, version_set(1, 1)).await;
    }
    assert_updated(&update(&server, &id, changes).await);
}

#[both_engines]
async fn a_service_is_rebound_only_to_living_assets_that_have_versions(server: TestServer) {
    let id = server.service(1).await;
    let (empty_agent, empty_graph) = binding(&server, 0).await;
    let (old_agent, old_graph) = binding(&server, 1).await;
    deprecate_agent(&server, &old_agent).await;
    deprecate_context_graph(&server, &old_graph).await;
    let (foreign_agent, foreign_graph) = foreign_binding(&server).await;
    let old_told = [
        format!("agent {old_agent} is deprecated"),
        format!("context graph {old_graph} is deprecated"),
    ];
    let (agent, graph) = ("agent_id", "service_hierarchical_state_machine_id");
    for is_active in [true, false] {
        update(&server, &id, json!({"is_active": is_active})).await;
        let before = change_number(&server).await;
        for (changes, told) in [
            (
                json!({agent: UNKNOWN_ID}),
                vec![format!("there is no agent {UNKNOWN_ID}")],
            ),
            (
                json!({graph: UNKNOWN_ID}),
                vec![format!("there is no context graph {UNKNOWN_ID}")],
            ),
            (
                json!({agent: UNKNOWN_ID, graph: UNKNOWN_ID}),
                vec![
                    format!("no agent {UNKNOWN_ID}"),
                    format!("no context graph {UNKNOWN_ID}"),
                ],
            ),
            (
                json!({agent: foreign_agent, graph: foreign_graph}),
                vec![
                    format!("no agent {foreign_agent}"),
                    format!("no context graph {foreign_graph}"),
                ],
            ),
            (
                json!({agent: empty_agent}),
                vec![format!("agent {empty_agent} has no versions yet")],
            ),
            (
                json!({graph: empty_graph}),
                vec![format!("context graph {empty_graph} has no versions yet")],
            ),
            (json!({agent: old_agent, graph: old_graph}), old_told.to_vec()),
        ] {
            let told: Vec<&str> = told.iter().map(String::as_str).collect();
            assert_refused(&update(&server, &id, changes).await, &told);
        }
        assert_eq!(change_number(&server).await, before);
    }
}

#[both_engines]
async fn an_inactive_service_on_a_deprecated_agent_can_still_change_its_graph(server: TestServer) {
    let (agent, graph) = binding(&server, 1).await;
    let id = create(&server, service_body("Care", &agent, &graph)).await;
    assert_updated(&update(&server, &id, json!({"is_active": false})).await);
    deprecate_agent(&server, &agent).await;
    let graph = server.context_graph(1).await;
    assert_updated(
        &update(
            &server,
            &id,
            json!({"service_hierarchical_state_machine_id": graph}),
        )
        .await,
    );
}

#[both_engines]
async fn deleted_sets_survive_a_rebind_and_can_come_back(server: TestServer) {
    let id = server.service(3).await;
    put_set(&server, &id, "test", version_set(3, 3)).await;
    delete_set(&server, &id, "test").await;
    // What it pinned once does not count: it pins nothing any more.
    let (agent, graph) = (server.agent(1).await, server.context_graph(1).await);
    let changes = json!({"agent_id": agent, "service_hierarchical_state_machine_id": graph});
    assert_updated(&update(&server, &id, changes).await);
    assert_eq!(actions(&server, &id, "test").await, ["create", "delete"]);
    let path = format!("service/{id}/version_sets/test");
    let gone = server.admin().get(&format!("{path}/resolve")).await;
    assert_eq!((gone.status.as_u16(), &gone.body["revision"]), (410, &json!(2)));
    let too_new = server
        .admin()
        .put(&format!("{path}/"), json!({"version_set": version_set(3, 3)}))
        .await;
    assert_refused(&too_new, &["has no version 3"]);
    put_set(&server, &id, "test", version_set(1, 1)).await;
    assert_eq!(
        actions(&server, &id, "test").await,
        ["create", "delete", "create"]
    );
    let last = history(&server, &id, "test").await.pop().unwrap();
    assert_eq!(
        (last.revision, last.agent_id.to_string(), last.resolved),
        (3, agent, numbers(1, 1))
    );
    let resolution = server.admin().get(&format!("{path}/resolve")).await;
    assert_eq!(
        resolution.body["service_hierarchical_state_machine_version_info"],
        json!([graph, 1])
    );
}
