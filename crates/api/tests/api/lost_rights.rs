//! What counts is what a caller may do at the moment: not when the request began, nor when it was first answered.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::request::Builder;
use axum::http::{Method, Request, header};
use forge_testkit::{TestClient, TestServer, both_engines, version_set};
use futures_util::stream;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tower::ServiceExt as _;

use crate::support::grants::{any, equals, grant};
use crate::support::users::{sign_in, signed_in, user_with};

/// Gives a role other grants.
async fn grants(server: &TestServer, role: &str, grants: Vec<Value>) {
    let change = json!({"permission_grants": grants});
    let answer = server.admin().post(&format!("role/{role}"), change).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn request(client: &TestClient, method: Method, path: &str) -> Builder {
    let token = format!("Bearer {}", client.token.as_ref().unwrap());
    let uri = format!("/v1/{}/{path}", client.organization);
    Request::builder()
        .method(method)
        .uri(uri)
        .header(header::AUTHORIZATION, token)
}

#[both_engines]
async fn a_right_that_is_lost_while_a_body_comes_is_lost(server: TestServer) {
    let service = server.service(1).await;
    let sets = format!("service/{service}/version_sets");
    let put = json!({"version_set": version_set(1, 1)});
    assert_eq!(
        server.admin().put(&format!("{sets}/preview/"), put).await.status,
        204
    );
    let held = vec![any("Service:GetVersionSet"), any("Service:UpdateVersionSet")];
    let writer = user_with(&server, "Writer", held).await;
    for (kept, expected) in [(vec![any("Service:GetVersionSet")], 403), (vec![], 403)] {
        grants(
            &server,
            "Writer",
            vec![any("Service:GetVersionSet"), any("Service:UpdateVersionSet")],
        )
        .await;
        let (asked, is_asked) = oneshot::channel();
        let (go, may_go) = oneshot::channel();
        // Nobody asks for a body before they know who sends it.
        let body = stream::once(async move {
            asked.send(()).unwrap();
            may_go.await.unwrap();
            Ok::<_, Infallible>(Bytes::from(
                json!({"source": "preview", "dry_run": true}).to_string(),
            ))
        });
        let path = format!("{sets}/release/promote");
        let sent = request(&writer, Method::POST, &path).header(header::CONTENT_TYPE, "application/json");
        let sent = sent.body(Body::from_stream(body)).unwrap();
        let answer = tokio::spawn(writer.router.clone().oneshot(sent));
        is_asked.await.unwrap();
        grants(&server, "Writer", kept).await;
        go.send(()).unwrap();
        assert_eq!(answer.await.unwrap().unwrap().status(), expected);
    }
}

#[both_engines]
async fn an_export_of_the_audit_log_ends_with_the_right_to_it(server: TestServer) {
    let auditor = user_with(&server, "Auditor", vec![any("Organization:GetAuditEvent")]).await;
    for number in 0..120 {
        server
            .admin()
            .post(
                "organization/agent",
                json!({"agent_name": format!("agent {number}")}),
            )
            .await;
    }
    let sent = request(&auditor, Method::GET, "audit_event/export")
        .body(Body::empty())
        .unwrap();
    let mut body = auditor.router.clone().oneshot(sent).await.unwrap().into_body();
    assert!(body.frame().await.unwrap().is_ok());
    // Not with the token: who began may end.
    server.clock.advance_seconds(2 * 3600);
    assert!(body.frame().await.unwrap().is_ok());
    let elsewhere = grant("Organization:GetAuditEvent", &equals("object_kind", "agent"));
    let admin = signed_in(&server, &server.admin().user_id).await;
    let change = json!({"permission_grants": [elsewhere]});
    assert_eq!(admin.post("role/Auditor", change).await.status, 200);
    assert!(
        body.frame().await.unwrap().is_err(),
        "the rest is not theirs any more"
    );
}

#[both_engines]
async fn an_answer_is_not_told_again_to_who_may_do_less_by_now(server: TestServer) {
    let admin = server.admin();
    let agent = server.agent(1).await;
    let writer = user_with(&server, "Writer", vec![any("Organization:CreateAgentVersion")]).await;
    let again = async |client: &TestClient| {
        let path = format!("organization/agent/{agent}/");
        let headers = [("Idempotency-Key", "once")];
        let body = json!({"initials": "N"}).to_string().into_bytes();
        client
            .send_raw(Method::POST, &path, &headers, Some("application/json"), body)
            .await
    };
    let first = again(&writer).await;
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(again(&writer).await.body, first.body);
    // Still a right to do it to something, but not to this.
    let elsewhere = grant(
        "Organization:CreateAgentVersion",
        &equals("agent_name", "Another"),
    );
    grants(&server, "Writer", vec![elsewhere]).await;
    let refused = again(&writer).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    grants(&server, "Writer", vec![any("Organization:CreateAgentVersion")]).await;
    assert_eq!(again(&writer).await.body, first.body);
    let versions = admin.get(&format!("organization/agent/{agent}/version")).await;
    assert_eq!(
        versions.body["agent_versions"].as_array().unwrap().len(),
        2,
        "{}",
        versions.body
    );
}

#[both_engines]
async fn what_is_under_way_ends_with_the_key(server: TestServer) {
    let admin = server.admin();
    let service = server.service(1).await;
    for number in 0..120 {
        admin
            .post(
                "organization/agent",
                json!({"agent_name": format!("agent {number}")}),
            )
            .await;
    }
    let made = admin
        .post(
            "organization/api_key/",
            json!({"name": null, "role_name": "DefaultSuperAdministratorRole",
        "duration": "P1D"}),
        )
        .await;
    let [id, secret] = ["api_key_id", "api_key"].map(|field| made.body[field].as_str().unwrap());
    let auditor = user_with(
        &server,
        "Auditor",
        vec![
            any("Organization:GetAuditEvent"),
            any("Service:GetVersionSet"),
            any("Service:UpdateVersionSet"),
            any("Organization:CreateAgent"),
        ],
    )
    .await;
    server.clock.advance_seconds(24 * 3600 - 1);
    let session = sign_in(&auditor, &auditor.user_id, [id, secret]).await;
    let auditor = auditor.with_token(session.body["id_token"].as_str().unwrap());
    // A call under a key, an export, a stream, and a body that is on its way.
    let again = async |client: &TestClient| {
        let body = json!({"agent_name": "once"}).to_string().into_bytes();
        let headers = [("Idempotency-Key", "once")];
        client
            .send_raw(
                Method::POST,
                "organization/agent",
                &headers,
                Some("application/json"),
                body,
            )
            .await
    };
    let first = again(&auditor).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let sent = request(&auditor, Method::GET, "audit_event/export")
        .body(Body::empty())
        .unwrap();
    let mut export = auditor.router.clone().oneshot(sent).await.unwrap().into_body();
    assert!(export.frame().await.unwrap().is_ok());
    let sent = request(&auditor, Method::GET, "watch?after=0")
        .body(Body::empty())
        .unwrap();
    let watching = auditor.router.clone().oneshot(sent).await.unwrap();
    assert_eq!(watching.status(), 200);
    let (asked, is_asked) = oneshot::channel();
    let (go, may_go) = oneshot::channel();
    let body = stream::once(async move {
        asked.send(()).unwrap();
        may_go.await.unwrap();
        Ok::<_, Infallible>(Bytes::from(json!({"version_set": version_set(1, 1)}).to_string()))
    });
    let path = format!("service/{service}/version_sets/preview/");
    let sent = request(&auditor, Method::PUT, &path).header(header::CONTENT_TYPE, "application/json");
    let sent = sent.body(Body::from_stream(body)).unwrap();
    let answer = tokio::spawn(auditor.router.clone().oneshot(sent));
    is_asked.await.unwrap();
    server.clock.advance_seconds(1);
    go.send(()).unwrap();
    assert_eq!(answer.await.unwrap().unwrap().status(), 401);
    assert!(export.frame().await.unwrap().is_err(), "the rest is not told");
    assert_eq!(again(&auditor).await.status, 401);
    let text = watching.into_body().collect().await.unwrap().to_bytes();
    assert!(!text.is_empty(), "it ends");
    // Not what was done, nor what was answered.
    let other = signed_in(&server, &auditor.user_id).await;
    assert_eq!(again(&other).await.body, first.body);
}
