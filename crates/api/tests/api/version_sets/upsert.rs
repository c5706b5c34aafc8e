//! Creating sets and replacing them.

use std::collections::BTreeSet;

use forge_testkit::{both_engines, version_set};
use serde_json::json;

use super::{delete, get, names, path, put, read, resolve, upsert};
use crate::support::assertions::{assert_invalid, assert_refused};
use crate::support::ids::UNKNOWN_ID;
use crate::support::models::{MODEL, with_model};
use crate::support::organization::change_number;
use crate::support::revisions::{actions, history};

#[both_engines]
async fn a_subject_is_refused_until_there_are_rollouts(server: TestServer) {
    let service = server.service(1).await;
    let path = format!("service/{service}/version_sets/release/resolve?subject=x");
    assert_invalid(&server.admin().get(&path).await, &["query.subject: unknown_name"]);
}

#[both_engines]
async fn an_address_means_exactly_what_it_says(server: TestServer) {
    let service = server.service(1).await;
    for name in ["a%0a", "%20b%20"] {
        let body = json!({"version_set": version_set(1, 1)});
        let answer = server
            .admin()
            .put(&format!("service/{service}/version_sets/{name}/"), body)
            .await;
        assert_invalid(&answer, &["path.version_set_name: string_pattern_mismatch"]);
    }
    assert_eq!(names(&server, &service).await, ["edge", "release"]);
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
