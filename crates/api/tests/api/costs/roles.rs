//! Roles are no larger than can be compared in time.

use axum::http::Method;
use forge_domain::access::DefaultRole;
use forge_testkit::both_engines;
use serde_json::{Map, Value, json};

use super::{admin, role};

fn grant(values: Vec<Value>) -> Value {
    let conditions = json!({"service_id": {"type": "In", "values": values}});
    json!({"permission_name": "Service:GetService", "conditions": conditions})
}

#[both_engines]
async fn a_role_holds_no_more_than_can_be_compared(server: TestServer) {
    let many = |count: usize| (0..count).map(Value::from).collect::<Vec<_>>();
    let admin = admin(&server);
    for (grants, place) in [
        (vec![grant(many(1)); 1001], "body.permission_grants: too_long"),
        (
            vec![grant(many(1001))],
            "body.permission_grants.0.conditions.service_id.values: too_long",
        ),
        (vec![grant(many(1000)); 11], "body.permission_grants: too_long"),
        (
            vec![grant(vec![json!("x".repeat(16_000)); 200])],
            "body.permission_grants: too_long",
        ),
        (
            vec![grant(vec![json!("x".repeat(17_000))])],
            "body.permission_grants.0.conditions.service_id.values.0: too_long",
        ),
    ] {
        let refused = admin.post("role/", role(json!(grants))).await;
        assert_eq!(
            (refused.status.as_u16(), refused.faults()),
            (422, vec![place.to_owned()])
        );
    }
    let temporary = json!({"user_id": admin.user_id, "duration": "PT1H", "tags": {},
        "permission_grant": grant(many(1001)), "justification": "for a test"});
    let refused = admin.post("role/temporary_permission_grant/", temporary).await;
    let place = "body.permission_grant.conditions.service_id.values: too_long";
    assert_eq!(refused.faults(), [place]);
    assert_eq!(
        admin
            .post("role/", role(json!(vec![grant(many(9)); 1000])))
            .await
            .status,
        201
    );
    let changed = admin
        .post(
            "role/Large",
            json!({"permission_grants": vec![grant(many(1)); 1001]}),
        )
        .await;
    assert_eq!(changed.status, 422);
}

#[both_engines]
async fn a_user_whose_role_cannot_be_compared_in_time_is_not_signed_in(server: TestServer) {
    let admin = server.admin();
    let two = |pair: usize| json!({"type": "Equals", "value": pair});
    let key_grants: Vec<Value> = (0..400)
        .map(|number| {
            let conditions = json!({"user_id": two(number / 20), "is_own": two(number % 20)});
            json!({"permission_name": "Conversation:GetConversation", "conditions": conditions})
        })
        .collect();
    let all: Map<String, Value> = [
        "conversation_id",
        "service_id",
        "service_name",
        "user_id",
        "is_own",
    ]
    .map(|name| {
        (
            name.to_owned(),
            json!({"type": "In", "values": (0..20).collect::<Vec<_>>()}),
        )
    })
    .into_iter()
    .collect();
    let user_grant = json!([{"permission_name": "Conversation:GetConversation", "conditions": all}]);
    for (name, grants) in [("Key", json!(key_grants)), ("User", user_grant)] {
        let mut role = role(grants);
        role["role_name"] = json!(name);
        assert_eq!(admin.post("role/", role).await.status, 201);
    }
    let user = server.user(DefaultRole::User).await;
    let assigned = admin
        .post("role/User/assign", json!({"user_id": user.user_id}))
        .await;
    assert_eq!(assigned.status, 200, "{}", assigned.body);
    let key = json!({"name": null, "duration": "P1D", "role_name": "Key"});
    let key = admin.post("organization/api_key/", key).await.body;
    let headers = [
        ("x-api-key", key["api_key"].as_str().unwrap()),
        ("x-api-key-id", key["api_key_id"].as_str().unwrap()),
        ("x-user-id", user.user_id.as_str()),
    ];
    let path = "user/signin_with_api_key";
    let answer = admin
        .anonymous()
        .send_raw(Method::POST, path, &headers, None, Vec::new())
        .await;
    assert_eq!(answer.status, 401);
}
