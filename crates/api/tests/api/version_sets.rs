//! Version sets: what they pin, what that means now, who may change them, and the trace that each change leaves.

use std::collections::BTreeSet;

use forge_app::version_sets::promotion::{self, ChangeOptions};
use forge_app::version_sets::resolve::{self, Resolution};
use forge_app::version_sets::{self, SetView};
use forge_app::{AppError, Caller};
use forge_domain::access::{DefaultRole, Grant};
use forge_domain::audit::{AuditEvent, GENESIS_HASH};
use forge_domain::{ServiceId, SetName};
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
use crate::support::organization::{a_day_later, change_number, organization};
use crate::support::revisions::{actions, history};

fn path(service: &str, set: &str) -> String {
    format!("service/{service}/version_sets/{set}/")
}

async fn put(server: &TestServer, service: &str, set: &str, pins: Value) -> TestResponse {
    server
        .admin()
        .put(&path(service, set), json!({"version_set": pins}))
        .await
}

/// Writes a set and returns the change number, if anything was written.
async fn upsert(server: &TestServer, service: &str, set: &str, pins: Value) -> Option<i64> {
    let answer = put(server, service, set, pins).await;
    assert_eq!(answer.status, 204, "{}", answer.body);
    assert_eq!(answer.body, Value::Null);
    answer.sequence()
}

async fn delete(server: &TestServer, service: &str, set: &str) -> TestResponse {
    server.admin().delete(&path(service, set)).await
}

async fn get(server: &TestServer, service: &str, set: &str) -> TestResponse {
    server.admin().get(&path(service, set)).await
}

/// Returns what one set is told to be.
async fn read(server: &TestServer, service: &str, set: &str) -> Value {
    let answer = get(server, service, set).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

async fn resolve(server: &TestServer, service: &str, set: &str) -> TestResponse {
    server
        .admin()
        .get(&format!("{}resolve", path(service, set)))
        .await
}

/// Returns the versions of the agent and the context graph that a set resolves to.
async fn resolved(server: &TestServer, service: &str, set: &str) -> (i64, i64) {
    let answer = resolve(server, service, set).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let number = |info: &str| answer.body[info][1].as_i64().unwrap();
    (
        number("agent_version_info"),
        number("service_hierarchical_state_machine_version_info"),
    )
}

/// Returns the agent and the context graph of a service.
async fn binding(server: &TestServer, service: &str) -> (String, String) {
    let answer = server.admin().get(&format!("service/?id={service}")).await;
    let field = |name: &str| answer.body["services"][0][name].as_str().unwrap().to_owned();
    (field("agent_id"), field("service_hierarchical_state_machine_id"))
}

/// Adds a version to an agent; its initials tell it from the others.
async fn add_agent_version(server: &TestServer, agent: &str, initials: &str) {
    let body = json!({"initials": initials});
    assert_eq!(
        server
            .admin()
            .post(&format!("organization/agent/{agent}/"), body)
            .await
            .status,
        201
    );
}

async fn add_context_graph_version(server: &TestServer, graph: &str, description: &str) {
    let mut body = context_graph_version();
    body["description"] = json!(description);
    let path = format!("organization/service_hierarchical_state_machine/{graph}/");
    assert_eq!(server.admin().post(&path, body).await.status, 201);
}

/// Returns the names of the sets that a list tells.
///
/// Returns a listed version without what the list says beside its content.
fn content(listed: &Value) -> Value {
    let mut content = listed.clone();
    content.as_object_mut().unwrap().remove("yanked").unwrap();
    content
}

async fn names(server: &TestServer, service: &str) -> Vec<String> {
    let answer = server
        .admin()
        .get(&format!("service/{service}/version_sets/"))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let sets = answer.body["version_sets"].as_array().unwrap();
    sets.iter()
        .map(|set| set["name"].as_str().unwrap().to_owned())
        .collect()
}

// Writing.

#[both_engines]
async fn a_subject_is_refused_until_there_are_rollouts(server: TestServer) {
    let service = server.service(1).await;
    let path = format!("service/{service}/version_sets/release/resolve?subject=x");
    assert_eq!(server.admin().get(&path).await.status, 422);
}

#[both_engines]
async fn an_address_means_exactly_what_it_says(server: TestServer) {
    let service = server.service(1).await;
    for name in ["a%0a", "%20b%20"] {
        let body = serde_json::json!({"version_set": forge_testkit::version_set(1, 1)});
        let answer = server
            .admin()
            .put(&format!("service/{service}/version_sets/{name}/"), body)
            .await;
        assert_eq!(answer.status, 422, "{name}");
    }
}

#[both_engines]
async fn a_service_starts_with_edge_and_release(server: TestServer) {
    let service = server.service(2).await;
    assert_eq!(names(&server, &service).await, ["edge", "release"]);
    for set in ["edge", "release"] {
        let set = read(&server, &service, set).await;
        assert_eq!(
            (&set["revision"], &set["pins"]),
            (&json!(1), &version_set(None, None))
        );
        assert_eq!(set["resolved"]["agent_version_number"], 2);
    }
}

#[both_engines]
async fn an_upsert_creates_a_set_or_replaces_it_as_a_whole(server: TestServer) {
    let service = server.service(3).await;
    let with_models = with_model(
        version_set(1, None),
        "engage-user",
        MODEL,
        json!({"temperature": 0.5}),
    );
    let with_models = with_model(with_models, "decide", "google_gemini-2.5-pro", json!({}));
    let floating = version_set(None, None);
    let requests = [
        version_set(1, 2),
        with_models,
        floating,
        version_set(3, 3),
        version_set(1, 2),
    ];
    for (index, pins) in requests.into_iter().enumerate() {
        let before = change_number(&server).await;
        assert_eq!(
            upsert(&server, &service, "test", pins.clone()).await,
            Some(before + 1)
        );
        let set = read(&server, &service, "test").await;
        assert_eq!((&set["pins"], &set["revision"]), (&pins, &json!(index + 1)));
    }
    assert_eq!(
        actions(&server, &service, "test").await,
        ["create", "update", "update", "update", "update"]
    );
    assert_eq!(actions(&server, &service, "release").await, ["create"]);
    assert!(
        upsert(&server, &service, "release", version_set(2, 2))
            .await
            .is_some()
    );
    assert_eq!(actions(&server, &service, "release").await, ["create", "update"]);
}

#[both_engines]
async fn the_same_pins_again_write_nothing(server: TestServer) {
    let service = server.service(2).await;
    let pins = with_model(
        version_set(1, None),
        "engage-user",
        MODEL,
        json!({"temperature": 1, "top_p": 1}),
    );
    upsert(&server, &service, "test", pins.clone()).await;
    let (set, before) = (
        read(&server, &service, "test").await,
        change_number(&server).await,
    );
    let reordered = with_model(
        version_set(1, None),
        "engage-user",
        MODEL,
        json!({"top_p": 1, "temperature": 1}),
    );
    for same in [pins, reordered] {
        assert_eq!(upsert(&server, &service, "test", same).await, None);
    }
    assert_eq!(
        upsert(&server, &service, "release", version_set(None, None)).await,
        None
    );
    assert_eq!(change_number(&server).await, before);
    assert_eq!(read(&server, &service, "test").await, set);
    // Floating is not the same as pinning what is latest now.
    assert!(
        upsert(&server, &service, "release", version_set(2, 2))
            .await
            .is_some()
    );
}

#[both_engines]
async fn parameters_of_a_model_may_be_left_out(server: TestServer) {
    let service = server.service(1).await;
    let mut pins = version_set(None, None);
    pins["llm_model_preferences"] = json!({"engage-user": {"llm_name": MODEL}});
    upsert(&server, &service, "test", pins).await;
    let expected = json!({"engage-user": {"llm_name": MODEL, "params": {}}});
    assert_eq!(
        read(&server, &service, "test").await["pins"]["llm_model_preferences"],
        expected
    );
}

#[both_engines]
async fn edge_never_changes(server: TestServer) {
    let service = server.service(2).await;
    let before = change_number(&server).await;
    let with_models = with_model(version_set(None, None), "engage-user", MODEL, json!({}));
    for pins in [version_set(1, 1), version_set(None, None), with_models] {
        assert_refused(
            &put(&server, &service, "edge", pins).await,
            &["`edge`", "cannot be changed"],
        );
    }
    assert_eq!(change_number(&server).await, before);
    assert_eq!(
        read(&server, &service, "edge").await["pins"],
        version_set(None, None)
    );
}

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

#[both_engines]
async fn names_have_up_to_forty_letters_digits_underscores_and_hyphens(server: TestServer) {
    let service = server.service(1).await;
    let longest = "x".repeat(40);
    for good in [
        "7",
        "0123456789",
        "A_b-9",
        "-",
        "_",
        "Edges",
        "RELEASE-1",
        "personal-alex",
        &longest,
    ] {
        assert!(
            upsert(&server, &service, good, version_set(1, 1)).await.is_some(),
            "{good}"
        );
        assert_eq!(read(&server, &service, good).await["name"], json!(good));
    }
    let before = change_number(&server).await;
    let too_long = "x".repeat(41);
    for (bad, fault) in [
        (too_long.as_str(), "string_too_long"),
        ("a.b", "string_pattern_mismatch"),
        ("a%20b", "string_pattern_mismatch"),
        ("%C3%A9", "string_pattern_mismatch"),
        ("a%2Fb", "string_pattern_mismatch"),
        ("a%3Ab", "string_pattern_mismatch"),
        ("a%0Ab", "string_pattern_mismatch"),
    ] {
        let answer = put(&server, &service, bad, version_set(1, 1)).await;
        assert_invalid(&answer, &[&format!("path.version_set_name: {fault}")]);
    }
    for blank in ["%20", "%09%0A"] {
        assert_eq!(put(&server, &service, blank, version_set(1, 1)).await.status, 422);
    }
    assert_eq!(change_number(&server).await, before);
    // An address means exactly what it says, so no blanks are cut from it.
    assert_eq!(
        put(&server, &service, "%20test%20", version_set(1, 1))
            .await
            .status,
        422
    );
}

#[both_engines]
async fn a_service_has_at_most_a_hundred_sets(server: TestServer) {
    let service = server.service(2).await;
    for number in 1..=98 {
        upsert(
            &server,
            &service,
            &format!("personal-{number}"),
            version_set(1, 1),
        )
        .await;
    }
    assert_eq!(names(&server, &service).await.len(), 100);
    let before = change_number(&server).await;
    let told = "at most 100 version sets";
    assert_refused(
        &put(&server, &service, "one-more", version_set(1, 1)).await,
        &[told],
    );
    assert_refused(
        &put(&server, &service, "one-more", version_set(3, 1)).await,
        &[told, "no version 3"],
    );
    assert_eq!(change_number(&server).await, before);
    // Those that are there can be replaced, and deleted ones do not count.
    upsert(&server, &service, "personal-98", version_set(2, 2)).await;
    assert_eq!(delete(&server, &service, "personal-1").await.status, 204);
    upsert(&server, &service, "one-more", version_set(1, 1)).await;
    assert_refused(
        &put(&server, &service, "personal-1", version_set(1, 1)).await,
        &[told],
    );
    assert_eq!(names(&server, &service).await.len(), 100);
    let listed = server.admin().get(&format!("service/?id={service}")).await;
    assert_eq!(
        listed.body["services"][0]["version_sets"]
            .as_object()
            .unwrap()
            .len(),
        100
    );
}

#[both_engines]
async fn concurrent_upserts_append_one_revision_each(server: TestServer) {
    let service = server.service(5).await;
    let mut writes = tokio::task::JoinSet::new();
    for number in 1..=5 {
        let (admin, path) = (server.admin().clone(), path(&service, "test"));
        writes.spawn(async move {
            admin
                .put(&path, json!({"version_set": version_set(number, 1)}))
                .await
        });
    }
    let answers = writes.join_all().await;
    assert!(answers.iter().all(|answer| answer.status == 204));
    let sequences: BTreeSet<i64> = answers.iter().map(|answer| answer.sequence().unwrap()).collect();
    let revisions = history(&server, &service, "test").await;
    assert_eq!(
        revisions
            .iter()
            .map(|revision| revision.revision)
            .collect::<Vec<_>>(),
        [1, 2, 3, 4, 5]
    );
    assert_eq!(
        revisions
            .iter()
            .map(|revision| revision.change_number)
            .collect::<BTreeSet<_>>(),
        sequences
    );
    assert_eq!(sequences.len(), 5);
}

#[both_engines]
async fn sets_of_a_service_that_is_not_there_can_be_neither_written_nor_read(server: TestServer) {
    let service = server.service(1).await;
    let body = json!({"version_set": version_set(1, 1)});
    for (client, service) in [(server.admin(), UNKNOWN_ID), (server.stranger(), &service)] {
        let set = path(service, "release");
        for answer in [
            client.put(&path(service, "test"), body.clone()).await,
            client.put(&set, body.clone()).await,
            client.delete(&path(service, "test")).await,
            client.delete(&set).await,
            client.get(&format!("service/{service}/version_sets/")).await,
            client.get(&set).await,
            client.get(&format!("{set}resolve")).await,
        ] {
            assert_eq!(answer.status, 404);
            assert_eq!(answer.detail(), format!("there is no service {service}"));
        }
    }
    for answer in [
        put(&server, "x", "test", version_set(1, 1)).await,
        delete(&server, "x", "test").await,
        server.admin().get("service/x/version_sets/").await,
        get(&server, "x", "release").await,
        resolve(&server, "x", "release").await,
    ] {
        assert_invalid(&answer, &["path.service_id: string_pattern_mismatch"]);
    }
}

// Deleting.

#[both_engines]
async fn a_set_is_deleted_once(server: TestServer) {
    let service = server.service(1).await;
    upsert(&server, &service, "test", version_set(1, 1)).await;
    let before = change_number(&server).await;
    let deleted = delete(&server, &service, "test").await;
    assert_eq!(
        (deleted.status.as_u16(), deleted.sequence()),
        (204, Some(before + 1))
    );
    assert_eq!(names(&server, &service).await, ["edge", "release"]);
    assert_eq!(get(&server, &service, "test").await.status, 404);
    let again = delete(&server, &service, "test").await;
    assert_eq!((again.status.as_u16(), again.sequence()), (404, None));
    assert_eq!(change_number(&server).await, before + 1);
    assert_eq!(actions(&server, &service, "test").await, ["create", "delete"]);
}

#[both_engines]
async fn a_set_that_is_not_there_cannot_be_deleted_or_read_whatever_its_name(server: TestServer) {
    let service = server.service(1).await;
    let before = change_number(&server).await;
    let long = "x".repeat(500);
    for name in [
        "test",
        "Release",
        "a.b",
        "%20",
        "%C3%A9",
        "a%2Fb",
        "%20release%20",
        &long,
    ] {
        assert_eq!(delete(&server, &service, name).await.status, 404, "{name}");
        assert_eq!(get(&server, &service, name).await.status, 404, "{name}");
        assert_eq!(resolve(&server, &service, name).await.status, 404, "{name}");
    }
    assert_eq!(change_number(&server).await, before);
}

#[both_engines]
async fn edge_and_release_are_never_deleted(server: TestServer) {
    let service = server.service(1).await;
    let before = change_number(&server).await;
    for set in ["edge", "release"] {
        let told = format!("`{set}` belongs to every service and cannot be deleted");
        assert_refused(&delete(&server, &service, set).await, &[&told]);
    }
    assert_eq!(change_number(&server).await, before);
    assert_eq!(names(&server, &service).await, ["edge", "release"]);
}

#[both_engines]
async fn a_set_that_comes_back_goes_on_counting_its_revisions(server: TestServer) {
    let service = server.service(2).await;
    upsert(&server, &service, "test", version_set(1, 1)).await;
    upsert(&server, &service, "test", version_set(2, 2)).await;
    assert_eq!(delete(&server, &service, "test").await.status, 204);
    // The same pins as before the deletion are a new revision all the same.
    upsert(&server, &service, "test", version_set(2, 2)).await;
    assert_eq!(read(&server, &service, "test").await["revision"], json!(4));
    assert_eq!(delete(&server, &service, "test").await.status, 204);
    upsert(&server, &service, "test", version_set(None, None)).await;
    let expected = ["create", "update", "delete", "create", "delete", "create"];
    assert_eq!(actions(&server, &service, "test").await, expected);
    let revisions = history(&server, &service, "test").await;
    assert_eq!(
        revisions
            .iter()
            .map(|revision| revision.revision)
            .collect::<Vec<_>>(),
        [1, 2, 3, 4, 5, 6]
    );
    let changes: Vec<i64> = revisions.iter().map(|revision| revision.change_number).collect();
    assert!(changes.is_sorted_by(|left, right| left < right), "{changes:?}");
}

// Reading.

#[both_engines]
async fn a_set_tells_what_it_pins_and_what_that_means_now(server: TestServer) {
    let service = server.service(3).await;
    let author = server.user(DefaultRole::Administrator).await;
    server.clock.advance_seconds(60);
    let pins = with_model(
        version_set(1, None),
        "engage-user",
        MODEL,
        json!({"temperature": 0.5}),
    );
    author
        .put(&path(&service, "test"), json!({"version_set": pins}))
        .await;
    server.clock.advance_seconds(60);
    let answer = get(&server, &service, "test").await;
    assert_eq!(answer.headers["etag"], "\"1\"");
    let expected = json!({
        "name": "test",
        "revision": 1,
        "pins": pins,
        "resolved": {"agent_version_number": 1, "service_hierarchical_state_machine_version_number": 3},
        "is_floating": true,
        "behind": {"agent": 2, "service_hierarchical_state_machine": 0},
        "hold": null,
        "source": null,
        "message": null,
        "updated_at": "2026-11-23T12:01:00.000Z",
        "updated_by": {"org_id": author.organization, "user_id": author.user_id},
        "unit_tests": [],
        "running_conversations": 0,
    });
    assert_eq!(answer.body, expected);
    let all = server
        .admin()
        .get(&format!("service/{service}/version_sets/"))
        .await;
    let sets = all.body["version_sets"].as_array().unwrap();
    assert_eq!(sets.len(), 3);
    assert_eq!(sets[2], expected);
    assert_eq!(sets[0], read(&server, &service, "edge").await);
    assert_eq!(sets[1], read(&server, &service, "release").await);
}

#[both_engines]
async fn sets_are_told_by_name_and_each_with_its_distance_to_the_latest(server: TestServer) {
    let (agent, graph) = (server.agent(5).await, server.context_graph(4).await);
    let service = server
        .admin()
        .post("service/", service_body("Care", &agent, &graph))
        .await
        .id();
    for (set, pins) in [
        ("test", version_set(5, 4)),
        ("Next", version_set(2, 1)),
        ("10", version_set(None, 3)),
        ("9", version_set(1, None)),
    ] {
        upsert(&server, &service, set, pins).await;
    }
    assert_eq!(
        names(&server, &service).await,
        ["10", "9", "Next", "edge", "release", "test"]
    );
    for (set, behind, is_floating) in [
        ("test", (0, 0), false),
        ("Next", (3, 3), false),
        ("10", (0, 1), true),
        ("9", (4, 0), true),
        ("edge", (0, 0), true),
    ] {
        let told = read(&server, &service, set).await;
        let (agent, graph) = behind;
        assert_eq!(
            told["behind"],
            json!({"agent": agent, "service_hierarchical_state_machine": graph}),
            "{set}"
        );
        assert_eq!(told["is_floating"], json!(is_floating), "{set}");
    }
}

#[both_engines]
async fn the_etag_is_the_revision(server: TestServer) {
    let service = server.service(3).await;
    for revision in 1..=3 {
        upsert(&server, &service, "test", version_set(revision, 1)).await;
        assert_eq!(
            get(&server, &service, "test").await.headers["etag"],
            format!("\"{revision}\"")
        );
    }
}

#[both_engines]
async fn floating_follows_new_versions_at_once_and_pinned_does_not(server: TestServer) {
    let service = server.service(2).await;
    let (agent, graph) = binding(&server, &service).await;
    upsert(&server, &service, "test", version_set(2, 1)).await;
    upsert(&server, &service, "preview", version_set(1, None)).await;
    let all = async || {
        let mut all = Vec::new();
        for set in ["edge", "release", "test", "preview"] {
            all.push(resolved(&server, &service, set).await);
        }
        all
    };
    assert_eq!(all().await, [(2, 2), (2, 2), (2, 1), (1, 2)]);
    add_agent_version(&server, &agent, "M3").await;
    assert_eq!(all().await, [(3, 2), (3, 2), (2, 1), (1, 2)]);
    add_context_graph_version(&server, &graph, "The third one.").await;
    assert_eq!(all().await, [(3, 3), (3, 3), (2, 1), (1, 3)]);
    let release = read(&server, &service, "release").await;
    assert_eq!(
        (&release["revision"], &release["pins"]),
        (&json!(1), &version_set(None, None))
    );
    let resolved = json!({"agent_version_number": 3, "service_hierarchical_state_machine_version_number": 3});
    assert_eq!(release["resolved"], resolved);
    let test = read(&server, &service, "test").await;
    assert_eq!(
        test["behind"],
        json!({"agent": 1, "service_hierarchical_state_machine": 2})
    );
}

#[both_engines]
async fn resolving_names_exactly_what_to_run(server: TestServer) {
    let service = server.service(2).await;
    let (agent, graph) = binding(&server, &service).await;
    let pins = with_model(
        version_set(1, 2),
        "engage-user",
        MODEL,
        json!({"temperature": 0.5}),
    );
    upsert(&server, &service, "test", version_set(None, 2)).await;
    upsert(&server, &service, "test", pins.clone()).await;
    let answer = resolve(&server, &service, "test").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        json!({
            "name": "test",
            "agent_version_info": [agent, 1],
            "service_hierarchical_state_machine_version_info": [graph, 2],
            "llm_model_preferences": pins["llm_model_preferences"],
            "service_id": service,
            "revision": 2,
            "is_floating": false,
        })
    );
    assert_eq!(
        resolve(&server, &service, "release").await.body["is_floating"],
        json!(true)
    );
}

#[both_engines]
async fn resolving_tells_a_deleted_set_from_one_that_never_was(server: TestServer) {
    let service = server.service(1).await;
    upsert(&server, &service, "test", version_set(1, 1)).await;
    upsert(&server, &service, "test", version_set(None, 1)).await;
    delete(&server, &service, "test").await;
    let gone = resolve(&server, &service, "test").await;
    assert_eq!((gone.status.as_u16(), &gone.body["revision"]), (410, &json!(3)));
    assert!(gone.detail().contains("`test`"), "{}", gone.detail());
    assert_eq!(resolve(&server, &service, "tset").await.status, 404);
    upsert(&server, &service, "test", version_set(1, 1)).await;
    assert_eq!(
        resolve(&server, &service, "test").await.body["revision"],
        json!(4)
    );
}

#[both_engines]
async fn resolving_gives_the_exact_documents_where_asked_to(server: TestServer) {
    let service = server.service(1).await;
    let (agent, graph) = binding(&server, &service).await;
    for number in 2..=3 {
        add_agent_version(&server, &agent, &format!("M{number}")).await;
        add_context_graph_version(&server, &graph, &format!("Number {number}.")).await;
    }
    upsert(&server, &service, "test", version_set(2, 3)).await;
    let graphs = format!("organization/service_hierarchical_state_machine/{graph}/version");
    for (set, agent_number, graph_number) in [("test", 2, 3), ("release", 3, 3)] {
        let answer = server
            .admin()
            .get(&format!("{}resolve?include=documents", path(&service, set)))
            .await;
        let listed = format!("organization/agent/{agent}/version?version={agent_number}");
        let listed = server.admin().get(&listed).await;
        assert_eq!(answer.body["agent"], content(&listed.body["agent_versions"][0]));
        assert_eq!(
            answer.body["agent"]["initials"],
            json!(format!("M{agent_number}"))
        );
        let listed = server
            .admin()
            .get(&format!("{graphs}?version={graph_number}"))
            .await;
        let listed = content(&listed.body["state_machine_versions"][0]);
        assert_eq!(answer.body["service_hierarchical_state_machine"], listed);
        let description = &answer.body["service_hierarchical_state_machine"]["description"];
        assert_eq!(*description, json!(format!("Number {graph_number}.")));
    }
}

#[both_engines]
async fn what_a_resolution_is_to_include_is_checked(server: TestServer) {
    let service = server.service(1).await;
    let path = format!("{}resolve", path(&service, "release"));
    for (query, fault) in [
        ("include=everything", "query.include.0: enum"),
        ("include=documents&include=x", "query.include.1: enum"),
        ("include=", "query.include.0: enum"),
        ("include=documents&include=documents", "query.include: unique"),
    ] {
        assert_invalid(&server.admin().get(&format!("{path}?{query}")).await, &[fault]);
    }
}

// Permissions.

/// A use case about a set, called with these grants.
struct As<'s> {
    server: &'s TestServer,
    service: ServiceId,
    caller: Caller,
}

impl<'s> As<'s> {
    fn new(server: &'s TestServer, service: &str, grants: Vec<Grant>) -> Self {
        Self {
            server,
            service: service.parse().unwrap(),
            caller: server.caller(grants),
        }
    }

    async fn upsert(&self, set: &str, pins: Value) -> Result<Option<i64>, AppError> {
        let pins = serde_json::from_value(pins).unwrap();
        let terms = ChangeOptions::default();
        let done = promotion::upsert(
            forge_app::Ctx::new(&self.server.app, &self.caller),
            self.service,
            &name(set),
            pins,
            &terms,
        )
        .await?;
        Ok(done.change_number)
    }

    async fn delete(&self, set: &str) -> Result<(), AppError> {
        promotion::delete(
            forge_app::Ctx::new(&self.server.app, &self.caller),
            self.service,
            &name(set),
            &ChangeOptions::default(),
        )
        .await
        .map(drop)
    }

    async fn get(&self, set: &str) -> Result<SetView, AppError> {
        version_sets::get(
            forge_app::Ctx::new(&self.server.app, &self.caller),
            self.service,
            &name(set),
        )
        .await
    }

    async fn list(&self) -> Result<Vec<String>, AppError> {
        let sets =
            version_sets::list(forge_app::Ctx::new(&self.server.app, &self.caller), self.service).await?;
        Ok(sets.into_iter().map(|view| view.set.name.to_string()).collect())
    }

    async fn resolve(&self, set: &str, with_documents: bool) -> Result<Resolution, AppError> {
        let app = &self.server.app;
        let found =
            resolve::current_set(forge_app::Ctx::new(app, &self.caller), self.service, name(set)).await?;
        let found = found.resolution()?;
        if with_documents {
            return resolve::with_documents(forge_app::Ctx::new(app, &self.caller), found).await;
        }
        Ok(found)
    }
}

fn name(set: &str) -> SetName {
    set.parse().unwrap()
}

fn equals(attribute: &str, value: &str) -> Value {
    json!({attribute: {"type": "Equals", "value": value}})
}

const GET: &str = "Service:GetVersionSet";

const CREATE: &str = "Service:CreateVersionSet";

const UPDATE: &str = "Service:UpdateVersionSet";

const DELETE: &str = "Service:DeleteVersionSet";

#[both_engines]
async fn plain_users_can_do_nothing_with_sets(server: TestServer) {
    let service = server.service(1).await;
    let user = server.user(DefaultRole::User).await;
    let body = json!({"version_set": version_set(1, 1)});
    for service in [service.as_str(), UNKNOWN_ID] {
        for set in ["release", "unknown"] {
            let path = path(service, set);
            for answer in [
                user.put(&path, body.clone()).await,
                user.delete(&path).await,
                user.get(&path).await,
                user.get(&format!("{path}resolve")).await,
                user.get(&format!("{path}resolve?include=documents")).await,
                user.get(&format!("service/{service}/version_sets/")).await,
            ] {
                // The same for what is there and what is not.
                assert_eq!(answer.status, 403);
                assert!(
                    answer.detail().starts_with("you lack the permission `Service:"),
                    "{}",
                    answer.detail()
                );
                assert!(!answer.detail().contains(service), "{}", answer.detail());
            }
        }
    }
}

#[both_engines]
async fn creating_and_updating_are_different_permissions(server: TestServer) {
    let service = server.service(2).await;
    let creator = As::new(&server, &service, vec![parsed_grant(CREATE, json!({}))]);
    let updater = As::new(&server, &service, vec![parsed_grant(UPDATE, json!({}))]);
    let deleter = As::new(&server, &service, vec![parsed_grant(DELETE, json!({}))]);
    assert_forbidden(updater.upsert("test", version_set(1, 1)).await, CREATE);
    creator.upsert("test", version_set(1, 1)).await.unwrap();
    for pins in [version_set(1, 1), version_set(2, 2)] {
        assert_forbidden(creator.upsert("test", pins).await, UPDATE);
    }
    updater.upsert("test", version_set(2, 2)).await.unwrap();
    for other in [&creator, &updater] {
        assert_forbidden(other.delete("test").await, DELETE);
    }
    assert_forbidden(deleter.upsert("test", version_set(1, 1)).await, UPDATE);
    deleter.delete("test").await.unwrap();
    // A set that was deleted is created anew.
    assert_forbidden(updater.upsert("test", version_set(2, 2)).await, CREATE);
    creator.upsert("test", version_set(2, 2)).await.unwrap();
}

#[both_engines]
async fn conditions_narrow_a_permission_to_sets_and_services(server: TestServer) {
    let (service, other) = (server.service(2).await, server.service(2).await);
    for service in [&service, &other] {
        upsert(&server, service, "preview", version_set(1, 1)).await;
    }
    let before = change_number(&server).await;
    let preview = vec![parsed_grant(UPDATE, equals("version_set_name", "preview"))];
    let caller = As::new(&server, &service, preview.clone());
    assert_forbidden(caller.upsert("release", version_set(2, 2)).await, UPDATE);
    assert_forbidden(caller.upsert("test", version_set(2, 2)).await, CREATE);
    assert_eq!(
        caller.upsert("preview", version_set(2, 2)).await.unwrap(),
        Some(before + 1)
    );
    As::new(&server, &other, preview)
        .upsert("preview", version_set(2, 2))
        .await
        .unwrap();

    let of_service = vec![parsed_grant(UPDATE, equals("service_id", &service))];
    As::new(&server, &service, of_service.clone())
        .upsert("release", version_set(1, 1))
        .await
        .unwrap();
    let caller = As::new(&server, &other, of_service);
    assert_forbidden(caller.upsert("release", version_set(1, 1)).await, UPDATE);

    let mut both = equals("service_id", &service);
    both["version_set_name"] = json!({"type": "In", "values": ["preview", "test"]});
    let caller = As::new(&server, &service, vec![parsed_grant(DELETE, both)]);
    assert_forbidden(caller.delete("release").await, DELETE);
    caller.delete("preview").await.unwrap();
    assert!(matches!(caller.delete("test").await, Err(AppError::NotFound(_))));
}

#[both_engines]
async fn a_condition_on_an_absent_attribute_never_holds(server: TestServer) {
    let service = server.service(1).await;
    for attribute in ["agent_id", "role_name", "version_set", "nonsense"] {
        let conditions = json!({attribute: {"type": "NotEquals", "value": "x"}});
        let grants =
            [GET, CREATE, UPDATE, DELETE].map(|permission| parsed_grant(permission, conditions.clone()));
        let caller = As::new(&server, &service, grants.to_vec());
        assert_forbidden(caller.get("release").await, GET);
        assert_forbidden(caller.resolve("release", false).await, GET);
        assert_forbidden(caller.upsert("release", version_set(1, 1)).await, UPDATE);
        assert_forbidden(caller.upsert("test", version_set(1, 1)).await, CREATE);
        assert_forbidden(caller.delete("test").await, DELETE);
        assert!(caller.list().await.unwrap().is_empty());
    }
    let caller = As::new(
        &server,
        &service,
        vec![parsed_grant(
            GET,
            json!({"version_set_name": {"type": "NotEquals", "value": "edge"}}),
        )],
    );
    caller.get("release").await.unwrap();
    assert_forbidden(caller.get("edge").await, GET);
}

#[both_engines]
async fn a_list_has_only_the_sets_that_the_caller_may_see(server: TestServer) {
    let service = server.service(1).await;
    for set in ["preview", "test", "personal-alex"] {
        upsert(&server, &service, set, version_set(1, 1)).await;
    }
    let some = json!({"version_set_name": {"type": "In", "values": ["test", "release", "unknown"]}});
    let caller = As::new(&server, &service, vec![parsed_grant(GET, some)]);
    assert_eq!(caller.list().await.unwrap(), ["release", "test"]);
    caller.get("test").await.unwrap();
    // What may not be seen is forbidden, whether it is there or not.
    for set in ["preview", "edge", "never-was"] {
        assert_forbidden(caller.get(set).await, GET);
        assert_forbidden(caller.resolve(set, false).await, GET);
    }
    assert!(matches!(caller.get("unknown").await, Err(AppError::NotFound(_))));
    assert_forbidden(
        As::new(&server, &service, vec![parsed_grant(CREATE, json!({}))])
            .list()
            .await,
        GET,
    );
}

#[both_engines]
async fn documents_take_the_permission_to_read_the_agent_and_the_graph(server: TestServer) {
    const AGENT: &str = "Organization:GetAgent";
    const GRAPH: &str = "Organization:GetServiceHierarchicalStateMachine";
    let service = server.service(1).await;
    let (agent, graph) = binding(&server, &service).await;
    let caller = |grants: &[(&str, Value)]| {
        let grants = grants
            .iter()
            .map(|(permission, conditions)| parsed_grant(permission, conditions.clone()));
        As::new(&server, &service, grants.collect())
    };
    let only_sets = caller(&[(GET, json!({}))]);
    let resolution = only_sets.resolve("release", false).await.unwrap();
    assert_eq!(
        (resolution.agent.1.get(), resolution.documents.is_none()),
        (1, true)
    );
    assert_forbidden(only_sets.resolve("release", true).await, AGENT);
    let no_graph = caller(&[(GET, json!({})), (AGENT, json!({}))]);
    assert_forbidden(no_graph.resolve("release", true).await, GRAPH);
    let no_agent = caller(&[(GET, json!({})), (GRAPH, json!({}))]);
    assert_forbidden(no_agent.resolve("release", true).await, AGENT);
    let another_agent = caller(&[
        (GET, json!({})),
        (AGENT, equals("agent_id", UNKNOWN_ID)),
        (GRAPH, json!({})),
    ]);
    assert_forbidden(another_agent.resolve("release", true).await, AGENT);
    let no_set = caller(&[(AGENT, json!({})), (GRAPH, json!({}))]);
    assert_forbidden(no_set.resolve("release", true).await, GET);
    let of_graph = equals("service_hierarchical_state_machine_id", &graph);
    let enough = caller(&[
        (GET, json!({})),
        (AGENT, equals("agent_id", &agent)),
        (GRAPH, of_graph),
    ]);
    assert!(enough.resolve("release", true).await.unwrap().documents.is_some());
}

// The audit log.

/// Returns the whole audit log with its stored hashes.
async fn audit_log(server: &TestServer) -> Vec<(AuditEvent, String)> {
    let mut tx = server.app.store.read().await.unwrap();
    tx.list_audit_events(&organization(server), 0, 10_000)
        .await
        .unwrap()
        .into_rows()
}

/// Checks that nothing was taken from the log, added or changed.
fn assert_chain_holds(log: &[(AuditEvent, String)]) {
    let mut previous_hash = GENESIS_HASH;
    for (position, (event, hash)) in (1..).zip(log) {
        assert_eq!(event.sequence, position);
        assert_eq!(event.previous_hash, previous_hash);
        assert_eq!(event.hash(), *hash);
        previous_hash = hash;
    }
}

/// Performs writes and remembers what the audit log must tell of them.
struct Recorder<'s> {
    admin: &'s TestClient,
    expected: Vec<(i64, &'static str, &'static str)>,
}

impl Recorder<'_> {
    /// Notes a write that was answered.
    #[track_caller]
    fn note(&mut self, action: &'static str, object: &'static str, answer: &TestResponse) {
        assert!(answer.status.is_success(), "{} {}", answer.status, answer.body);
        self.expected.push((answer.sequence().unwrap(), action, object));
    }

    async fn post(
        &mut self,
        action: &'static str,
        object: &'static str,
        path: &str,
        body: Value,
    ) -> TestResponse {
        let answer = self.admin.post(path, body).await;
        self.note(action, object, &answer);
        answer
    }

    async fn put(&mut self, action: &'static str, set: &str, pins: Value) {
        let answer = self.admin.put(set, json!({"version_set": pins})).await;
        self.note(action, "version_set", &answer);
    }

    async fn delete(&mut self, action: &'static str, object: &'static str, path: &str) {
        let answer = self.admin.delete(path).await;
        self.note(action, object, &answer);
    }
}

const AGENTS: &str = "organization/agent";

const GRAPHS: &str = "organization/service_hierarchical_state_machine";

/// Performs every kind of write, and beside them what must leave no trace.
async fn write_everything(admin: &TestClient) -> Vec<(i64, &'static str, &'static str)> {
    let mut writes = Recorder {
        admin,
        expected: Vec::new(),
    };
    let mut agents = Vec::new();
    let mut graphs = Vec::new();
    for number in 1..=2 {
        let agent = writes
            .post(
                "create",
                "agent",
                AGENTS,
                json!({"agent_name": format!("Mira {number}")}),
            )
            .await
            .id();
        writes
            .post(
                "create_version",
                "agent",
                &format!("{AGENTS}/{agent}/"),
                agent_version(),
            )
            .await;
        let body = json!({"state_machine_name": format!("Care {number}")});
        let graph = writes.post("create", "context_graph", GRAPHS, body).await.id();
        let path = format!("{GRAPHS}/{graph}/");
        writes
            .post("create_version", "context_graph", &path, context_graph_version())
            .await;
        let dry_run = admin
            .post(&format!("{path}?dry_run=true"), context_graph_version())
            .await;
        assert_eq!((dry_run.status.as_u16(), dry_run.sequence()), (201, None));
        agents.push(agent);
        graphs.push(graph);
    }
    let service = writes
        .post(
            "create",
            "service",
            "service/",
            service_body("Care", &agents[0], &graphs[0]),
        )
        .await
        .id();
    let set = path(&service, "test");
    writes.put("create", &set, version_set(1, 1)).await;
    writes
        .put(
            "update",
            &set,
            with_model(version_set(None, 1), "engage-user", MODEL, json!({})),
        )
        .await;
    leave_no_trace(admin, &service, &agents[0]).await;
    writes.delete("delete", "version_set", &set).await;
    writes.put("create", &set, version_set(1, 1)).await;
    let path = format!("service/{service}/");
    writes
        .post(
            "update",
            "service",
            &path,
            json!({"name": "Night care", "tags": {"team": null}}),
        )
        .await;
    writes
        .post("update", "service", &path, json!({"is_active": false}))
        .await;
    writes
        .post("update", "service", &path, json!({"is_active": true}))
        .await;
    let rebound = json!({"agent_id": agents[1], "service_hierarchical_state_machine_id": graphs[1]});
    writes.post("update", "service", &path, rebound).await;
    writes
        .delete("deprecate", "agent", &format!("{AGENTS}/{}/", agents[0]))
        .await;
    writes
        .delete("deprecate", "context_graph", &format!("{GRAPHS}/{}/", graphs[0]))
        .await;
    writes.expected
}

/// Does what is refused or changes nothing.
async fn leave_no_trace(admin: &TestClient, service: &str, agent: &str) {
    let (set, edge, path) = (
        path(service, "test"),
        path(service, "edge"),
        format!("service/{service}/"),
    );
    let same = with_model(version_set(None, 1), "engage-user", MODEL, json!({}));
    for (answer, status) in [
        (admin.put(&set, json!({"version_set": same})).await, 204),
        (
            admin.put(&set, json!({"version_set": version_set(9, 9)})).await,
            400,
        ),
        (
            admin.put(&edge, json!({"version_set": version_set(1, 1)})).await,
            400,
        ),
        (admin.delete(&edge).await, 400),
        (admin.post(&path, json!({"name": "Care"})).await, 200),
        (admin.post(&path, json!({"agent_id": UNKNOWN_ID})).await, 400),
        (admin.delete(&format!("{AGENTS}/{agent}/")).await, 400),
        (admin.post(AGENTS, json!({"agent_name": "Mira 1"})).await, 409),
        (
            admin
                .post(&format!("{AGENTS}/{agent}/?version=7"), json!({}))
                .await,
            409,
        ),
        (admin.get(&set).await, 200),
    ] {
        assert_eq!(
            (answer.status.as_u16(), answer.sequence()),
            (status, None),
            "{}",
            answer.body
        );
    }
}

#[both_engines]
async fn every_write_appends_one_event_to_an_unbroken_chain(server: TestServer) {
    let before = audit_log(&server).await.len();
    let expected = write_everything(server.admin()).await;
    let log = audit_log(&server).await;
    assert_chain_holds(&log);
    let told = log.iter().skip(before).map(|(event, _)| {
        assert_eq!(event.organization, organization(&server));
        assert_eq!(event.actor.user.user_id, server.admin().user_id);
        (
            event.change_number,
            event.action.as_str(),
            event.object.kind.as_str(),
        )
    });
    assert_eq!(told.collect::<Vec<_>>(), expected);
    // Every change number was taken by one of them: nothing was written beside the log.
    let numbers: Vec<i64> = log.iter().map(|(event, _)| event.change_number).collect();
    assert_eq!(numbers, (1..=change_number(&server).await).collect::<Vec<_>>());
    // The other organization's log has nothing of it.
    let stranger = server.stranger().organization.parse().unwrap();
    let others = server
        .app
        .store
        .read()
        .await
        .unwrap()
        .list_audit_events(&stranger, 0, 100)
        .await
        .unwrap()
        .into_rows();
    assert_eq!(others.len(), 1);
    assert_chain_holds(&others);
}

#[both_engines]
async fn the_audit_log_tells_what_was_there_before_and_after(server: TestServer) {
    let service = server.service(2).await;
    let event = async || audit_log(&server).await.pop().unwrap().0;
    upsert(&server, &service, "test", version_set(1, 2)).await;
    let created = event().await;
    assert_eq!(created.object.id, format!("{service}/test"));
    assert_eq!(created.before, Value::Null);
    assert_eq!(
        created.after,
        json!({"revision": 1, "pins": version_set(1, 2), "is_held": false})
    );
    upsert(&server, &service, "test", version_set(None, 1)).await;
    let updated = event().await;
    assert_eq!(updated.before, created.after);
    assert_eq!(
        updated.after,
        json!({"revision": 2, "pins": version_set(None, 1), "is_held": false})
    );
    delete(&server, &service, "test").await;
    let deleted = event().await;
    assert_eq!((deleted.before, deleted.after), (updated.after, Value::Null));
    server
        .admin()
        .post(&format!("service/{service}/"), json!({"description": "Changed."}))
        .await;
    let changed = event().await;
    assert_eq!(changed.object.id, service);
    assert_eq!(changed.before["description"], json!("For a test."));
    assert_eq!(changed.after["description"], json!("Changed."));
}

#[both_engines]
async fn the_audit_log_holds_no_secret(server: TestServer) {
    write_everything(server.admin()).await;
    let log = audit_log(&server).await;
    let text: String = log
        .iter()
        .map(|(event, _)| serde_json::to_string(event).unwrap())
        .collect();
    let [_, _, secret] = &server.credentials;
    let token = server.admin().token.as_ref().unwrap();
    let parts = token.split('.').map(str::to_owned);
    for secret in parts.chain([secret.clone(), secret.replace("forge_", ""), "forge_".to_owned()]) {
        assert!(!text.contains(&secret), "the log has {secret}");
    }
    for word in ["api_key\"", "secret", "token", "password", "private_key"] {
        assert!(!text.contains(word), "the log has something called {word}");
    }
}
