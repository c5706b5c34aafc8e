//! How long an answer gets at most, and what becomes of it.

use axum::http::Method;
use forge_testkit::both_engines;
use serde_json::{Map, Value, json};

use super::{admin, assert_small, assert_status, many_preferences, post_bytes};

/// Returns a body of a service with so many tags whose keys occur twice, blanks aside.
fn repeated_tags(count: usize) -> Value {
    let tags: Map<String, Value> = (0..count)
        .flat_map(|number| [(number.to_string(), json!(0)), (format!("{number} "), json!(0))])
        .collect();
    json!({"tags": tags})
}

#[both_engines]
async fn of_very_many_faults_a_caller_is_told_the_first_ones_and_that_there_are_more(server: TestServer) {
    let admin = admin(&server);
    let metric = json!({"name": "n", "applied_to_services": vec![json!([]); 10_000], "tags": {}});
    let preferences: Map<String, Value> = (0..1000)
        .map(|number| (format!("i{number}"), json!({"llm_name": "none", "params": {}})))
        .collect();
    let service = server.service(1).await;
    let ids = "id=zz&".repeat(4000);
    let set = json!({"version_set": {"agent_version_number": 1,
        "service_hierarchical_state_machine_version_number": 1, "llm_model_preferences": preferences}});
    let answers = [
        admin.post("service/", repeated_tags(30_000)).await,
        admin.post("metric/", metric).await,
        admin.get(&format!("service/?{ids}")).await,
    ];
    for answer in &answers {
        assert_eq!(answer.status, 422);
        assert_small(answer);
        let faults = answer.faults();
        assert!(faults.len() <= 51, "{faults:?}");
        assert!(faults.last().unwrap().ends_with(": more_faults"), "{faults:?}");
    }
    let refused = admin
        .put(&format!("service/{service}/version_sets/test/"), set)
        .await;
    assert_eq!(refused.status, 400);
    assert_small(&refused);
    assert!(
        refused.detail().contains("; and at least 51 more reasons"),
        "{}",
        refused.detail()
    );
    assert!(
        refused.body.get("plan").is_none(),
        "such a plan is too large to be told"
    );
}

#[both_engines]
async fn a_plan_of_the_largest_sets_is_told_in_less_than_a_mebibyte(server: TestServer) {
    let (admin, service) = (admin(&server), server.service(1).await);
    let path = format!("service/{service}/version_sets/test/");
    let model = server
        .app
        .catalogues
        .models
        .descriptions()
        .next()
        .unwrap()
        .name
        .clone();
    assert_status(&admin.put(&path, many_preferences("old", &model)).await, 204);
    let told = admin
        .put(&format!("{path}?dry_run=true"), many_preferences("new", "none"))
        .await;
    assert_eq!(told.status, 200, "{}", told.body);
    let blockers = told.body["blockers"].as_array().unwrap();
    assert_eq!(blockers.len(), 101);
    assert_eq!(blockers[100]["message"], "there are 900 more of these");
    assert_eq!(told.body["changes"].as_array().unwrap().len(), 2000);
    let bytes = told.body.to_string().len();
    assert!(bytes < 1024 * 1024, "{bytes}");
}

#[both_engines]
async fn answers_with_secrets_are_not_to_be_kept(server: TestServer) {
    let key = json!({"name": null, "duration": "P1D", "role_name": "DefaultUserRole"});
    let made = server.admin().post("organization/api_key/", key).await;
    assert_eq!(made.headers["cache-control"], "no-store");
    let [user, key, secret] = &server.credentials;
    let headers = [
        ("x-api-key", secret.as_str()),
        ("x-api-key-id", key),
        ("x-user-id", user),
    ];
    let path = "user/signin_with_api_key";
    let signed_in = server
        .admin()
        .anonymous()
        .send_raw(Method::POST, path, &headers, None, Vec::new())
        .await;
    assert_eq!(
        (signed_in.status.as_u16(), &signed_in.headers["cache-control"]),
        (200, &"no-store".parse().unwrap())
    );
}

#[both_engines]
async fn what_a_caller_wrote_is_told_back_to_them_in_part_only(server: TestServer) {
    let long = "x".repeat(20_000);
    let nowhere = server.admin().in_organization(&long);
    for answer in [
        nowhere.get("service/").await,
        server.admin().post(&format!("role/{long}"), json!({})).await,
    ] {
        assert_eq!(answer.status, 404);
        assert!(answer.detail().len() < 200, "{}", answer.detail().len());
    }
}

#[both_engines]
async fn packed_bodies_are_refused_as_such(server: TestServer) {
    let body = br#"{"agent_name": "Mira"}"#;
    for (coding, status) in [
        ("gzip", 415),
        ("br", 415),
        ("gzip, identity", 415),
        ("identity", 201),
    ] {
        let answer = post_bytes(
            server.admin(),
            "organization/agent",
            &[("content-encoding", coding)],
            body,
        )
        .await;
        assert_eq!(answer.status, status, "{coding}");
    }
}

#[both_engines]
async fn a_base_address_that_ends_with_a_slash_does_no_harm(server: TestServer) {
    let organization = &server.admin().organization;
    let answer = server
        .admin()
        .get(&format!("///v1/{organization}/service/?limit=1"))
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        server
            .admin()
            .get(&format!("////v1/{organization}/service/"))
            .await
            .status,
        404
    );
}
