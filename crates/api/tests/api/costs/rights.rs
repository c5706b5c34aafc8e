//! Whoever lacks the rights is refused first.

use axum::http::Method;
use forge_domain::access::DefaultRole;
use forge_testkit::both_engines;
use serde_json::{Value, json};

use super::{SOON, post_bytes, role};
use crate::support::organization::organization;

#[both_engines]
async fn whoever_may_not_call_an_operation_on_anything_is_refused_whatever_the_body_is(server: TestServer) {
    let stranger = server.stranger().in_organization(&server.admin().organization);
    let issuer = [("x-org-id", server.stranger().organization.as_str())];
    let user = server.user(DefaultRole::User).await;
    for path in [
        "service/",
        "metric/",
        "organization/agent",
        "role/",
        "role/DefaultUserRole/assign",
    ] {
        for body in [&b"{"[..], b"[]", b"{}"] {
            assert_eq!(
                post_bytes(&stranger, path, &issuer, body).await.status,
                403,
                "{path}"
            );
            assert_eq!(
                post_bytes(server.admin(), path, &[], body).await.status,
                422,
                "{path}"
            );
            if path != "role/DefaultUserRole/assign" {
                assert_eq!(post_bytes(&user, path, &[], body).await.status, 403, "{path}");
            }
        }
    }
    let packed = post_bytes(
        &stranger,
        "service/",
        &[issuer[0], ("content-encoding", "gzip")],
        b"x",
    )
    .await;
    assert_eq!(packed.status, 403);
}

#[both_engines]
async fn whoever_has_rights_on_some_things_is_told_of_the_body_first(server: TestServer) {
    let conditions = json!({"service_name": {"type": "Equals", "value": "Care"}});
    let grants = json!([{"permission_name": "Service:CreateService", "conditions": conditions}]);
    assert_eq!(server.admin().post("role/", role(grants)).await.status, 201);
    let user = server.user(DefaultRole::User).await;
    let assigned = json!({"user_id": user.user_id});
    assert_eq!(
        server.admin().post("role/Large/assign", assigned).await.status,
        200
    );
    assert_eq!(user.post("service/", json!({})).await.status, 422);
    let ids = "0123456789abcdef01234567";
    assert_eq!(
        user.post("service/", forge_testkit::service_body("Other", ids, ids))
            .await
            .status,
        403
    );
}

#[both_engines]
async fn a_change_number_means_nothing_to_those_without_rights(server: TestServer) {
    let stranger = server.stranger().in_organization(&server.admin().organization);
    let issuer = ("x-org-id", server.stranger().organization.as_str());
    for number in ["1", "999999999", "no number"] {
        let sequence = ("forge-min-sequence", number);
        let anonymous = server.admin().anonymous();
        let told = anonymous
            .send_raw(Method::GET, "organization/", &[sequence], None, Vec::new())
            .await;
        assert_eq!(told.status, 200, "{number}");
        let told = stranger
            .send_raw(
                Method::GET,
                "organization/",
                &[sequence, issuer],
                None,
                Vec::new(),
            )
            .await;
        assert_eq!(told.status, 200, "{number}");
        let told = stranger
            .send_raw(Method::GET, "service/", &[sequence, issuer], None, Vec::new())
            .await;
        assert!(told.shows_nothing(), "{number}: {}", told.body);
        let [user, key, secret] = &server.credentials;
        let headers = [
            sequence,
            ("x-api-key", secret),
            ("x-api-key-id", key),
            ("x-user-id", user),
        ];
        let path = "user/signin_with_api_key";
        let told = anonymous
            .send_raw(Method::POST, path, &headers, None, Vec::new())
            .await;
        assert_eq!(told.status, 200, "{number}: {}", told.body);
    }
}

#[both_engines]
async fn a_body_that_nobody_reads_is_not_kept(server: TestServer) {
    let large = vec![b'x'; 5 * 1024 * 1024];
    let [user, key, secret] = &server.credentials;
    let headers = [
        ("x-api-key", secret.as_str()),
        ("x-api-key-id", key),
        ("x-user-id", user),
    ];
    let path = "user/signin_with_api_key";
    let anonymous = server.admin().anonymous();
    let told = anonymous
        .send_raw(Method::POST, path, &headers, None, large)
        .await;
    assert_eq!(told.status, 200, "{}", told.body);
    let agent = server.agent(1).await;
    let path = format!("organization/agent/{agent}/");
    let small = vec![b' '; 20 * 1024];
    let told = server
        .admin()
        .send_raw(Method::DELETE, &path, &[], None, small)
        .await;
    assert_eq!(told.status, 413, "{}", told.body);
}

#[both_engines]
async fn strangers_learn_nothing_of_which_roles_there_are(server: TestServer) {
    assert_eq!(server.admin().post("role/", role(json!([]))).await.status, 201);
    let stranger = server.stranger().in_organization(&server.admin().organization);
    let issuer = [("x-org-id", server.stranger().organization.as_str())];
    let body = br#"{"user_id": "somebody"}"#;
    let known = post_bytes(&stranger, "role/Large/assign", &issuer, body).await;
    let unknown = post_bytes(&stranger, "role/Small/assign", &issuer, body).await;
    assert_eq!((known.status.as_u16(), &known.body), (403, &unknown.body));
}

#[both_engines]
async fn whoever_lacks_a_permission_does_not_wait_for_the_writes_of_others(server: TestServer) {
    let (agent, graph) = (server.agent(1).await, server.context_graph(1).await);
    let graphs = "organization/service_hierarchical_state_machine";
    let user = server.user(DefaultRole::User).await;
    let stranger = server.stranger().in_organization(&server.admin().organization);
    let issuer = [("x-org-id", server.stranger().organization.as_str())];
    let (organization, now) = (organization(&server), forge_domain::Clock::now(&*server.clock));
    let writing = server.app.store.write(&organization, now).await.unwrap().unwrap();
    let yank = json!({"reason": "bad"});
    let id = "0123456789abcdef01234567";
    let promotions = json!({"promotions": [{"service_id": id, "source": "a", "target": "b"}]});
    for (method, path, body) in [
        (
            Method::POST,
            format!("organization/agent/{agent}/"),
            forge_testkit::agent_version(),
        ),
        (
            Method::POST,
            format!("{graphs}/{graph}/"),
            forge_testkit::context_graph_version(),
        ),
        (
            Method::POST,
            format!("organization/agent/{agent}/version/1/yank"),
            yank.clone(),
        ),
        (
            Method::DELETE,
            format!("organization/agent/{agent}/version/1/yank"),
            Value::Null,
        ),
        (Method::POST, format!("{graphs}/{graph}/version/1/yank"), yank),
        (Method::POST, "promotion".to_owned(), promotions),
        (
            Method::POST,
            "role/DefaultUserRole/assign".to_owned(),
            json!({"user_id": "x"}),
        ),
    ] {
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let json = (!body.is_empty()).then_some("application/json");
        let (client, headers) = if path.starts_with("role/") {
            (&stranger, &issuer[..])
        } else {
            (&user, &[][..])
        };
        let call = client.send_raw(method, &path, headers, json, body);
        let answer = tokio::time::timeout(SOON, call)
            .await
            .unwrap_or_else(|_| panic!("{path} waits"));
        assert_eq!(answer.status, 403, "{path}");
    }
    drop(writing);
}
