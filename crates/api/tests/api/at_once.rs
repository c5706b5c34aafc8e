//! Resolving at once: on a kept connection, without what every other request needs, and with the same answers.
//!
//! The test client holds every answer to a resolve against what is answered at once; here it is seen that this happens at
//! all, and that what was known a moment ago counts no longer than it is so.

use axum::body::Body;
use axum::http::Request;
use forge_api::{Limits, RateLimits, Router};
use forge_domain::access::DefaultRole;
use forge_testkit::{TestClient, TestServer, both_engines, version_set};
use serde_json::json;

use crate::support::connections::{Connection, serve};

fn path(server: &TestServer, service: &str) -> String {
    let organization = &server.admin().organization;
    format!("/v1/{organization}/service/{service}/version_sets/release/resolve")
}

/// Returns the status that a request gets at once, or `None` if it gets none.
fn at_once(router: &Router, path: &str, token: &str) -> Option<u16> {
    let request = Request::builder()
        .uri(path)
        .header("host", "test")
        .header("authorization", format!("Bearer {token}"));
    let answer = router.at_once(&request.body(Body::empty()).unwrap());
    answer.map(|answer| answer.status().as_u16())
}

/// A client that keeps its connection.
struct Runtime {
    connection: Connection,
    path: String,
}

impl Runtime {
    /// Asks what to run, and returns the status and the whole answer.
    async fn ask(&mut self, token: &str) -> (String, String) {
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\n\r\n",
            self.path
        );
        let answer = self.connection.send(&request).await;
        let status = answer.split(' ').nth(1).unwrap_or_default().to_owned();
        (status, answer)
    }
}

#[both_engines]
async fn what_somebody_has_asked_before_is_answered_at_once_until_it_changes(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(2).await);
    let (path, token) = (path(&server, &service), admin.token.as_deref().unwrap());
    let resolve = format!("service/{service}/version_sets/release/resolve");
    let ask = async || admin.get(&resolve).await.status.as_u16();
    let now = || at_once(&server.router, &path, token);
    assert_eq!(now(), None, "nobody has asked");
    assert_eq!((ask().await, now()), (200, Some(200)));
    let set = format!("service/{service}/version_sets/release/");
    let body = json!({"version_set": version_set(1, 1)});
    assert_eq!(admin.put(&set, body).await.status, 204);
    assert_eq!(now(), None, "the set has changed");
    assert_eq!((ask().await, now()), (200, Some(200)));
    assert_eq!(
        at_once(&server.router, &path.replace("release", "edge"), token),
        None
    );
    assert_eq!(at_once(&server.router, &path, "x"), None);
    let other = server.stranger().token.as_deref().unwrap();
    assert_eq!(at_once(&server.router, &path, other), None);
    server.clock.advance_seconds(3600);
    assert_eq!((now(), ask().await), (None, 401), "the token has ended");
}

#[both_engines]
async fn where_more_is_to_be_done_for_every_call_none_is_answered_at_once(server: TestServer) {
    let service = server.service(1).await;
    let (path, token) = (path(&server, &service), server.admin().token.as_deref().unwrap());
    let counted = RateLimits {
        per_minute: [("resolve-version-set".to_owned(), 10)].into(),
        ..RateLimits::default()
    };
    for (limits, expected) in [
        (Limits::default(), Some(200)),
        (
            Limits {
                rates: counted,
                ..Limits::default()
            },
            None,
        ),
        (
            Limits {
                allowed_origins: vec!["https://app.example.com".to_owned()],
                ..Limits::default()
            },
            None,
        ),
    ] {
        let client = TestClient {
            router: server.router_with(limits),
            ..server.admin().clone()
        };
        let asked = client
            .get(&format!("service/{service}/version_sets/release/resolve"))
            .await;
        assert_eq!(asked.status, 200);
        assert_eq!(at_once(&client.router, &path, token), expected);
    }
}

#[both_engines]
async fn who_is_known_on_a_connection_is_so_no_longer_than_they_may_ask(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(2).await);
    let user = server.user(DefaultRole::Administrator).await;
    let [ours, theirs] = [admin, &user].map(|client| client.token.clone().unwrap());
    let mut runtime = Runtime {
        connection: Connection::open(&serve(&server, Limits::default()).await).await,
        path: path(&server, &service),
    };
    for _ in 0..3 {
        for token in [&ours, &theirs] {
            let (status, answer) = runtime.ask(token).await;
            assert_eq!(status, "200");
            assert!(answer.contains(r#""revision":1"#), "{answer}");
        }
    }
    let set = format!("service/{service}/version_sets/release/");
    let body = json!({"version_set": version_set(1, 1)});
    assert_eq!(admin.put(&set, body).await.status, 204);
    assert!(runtime.ask(&theirs).await.1.contains(r#""revision":2"#));
    assert_eq!(runtime.ask(&format!("{theirs}x")).await.0, "401");
    assert_eq!(runtime.ask(&theirs).await.0, "200");
    let gone = format!("user/{}", user.user_id);
    assert!(admin.delete(&gone).await.status.is_success());
    assert_eq!(runtime.ask(&theirs).await.0, "401");
    assert_eq!(runtime.ask(&ours).await.0, "200");
    server.clock.advance_seconds(3600);
    assert_eq!(runtime.ask(&ours).await.0, "401");
}
