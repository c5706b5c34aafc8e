//! The fields of a new service, and what each may hold.

use forge_testkit::both_engines;
use serde_json::{Value, json};

use super::{assert_updated, create, new_body, update, with};
use crate::support::assertions::assert_invalid;
use crate::support::bodies::MAX_BODY;
use crate::support::ids::UNKNOWN_ID;
use crate::support::organization::change_number;

fn without(mut body: Value, field: &str) -> Value {
    body.as_object_mut().unwrap().remove(field).unwrap();
    body
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
