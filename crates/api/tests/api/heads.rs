//! What the head of a request must be like on a connection, and what a browser is told.

use axum::http::Method;
use forge_api::Limits;
use forge_testkit::{Engine, TestServer};

use crate::support::connections::{AGENTS, Connection, get, serve};

/// Sends one request on a connection of its own and returns the answer.
async fn answer(address: &str, request: &str) -> String {
    Connection::open(address).await.send(request).await
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_request_must_name_one_host_and_one_caller() {
    let server = TestServer::start(Engine::Sqlite).await;
    let address = serve(&server, Limits::default()).await;
    let (organization, token) = (
        &server.admin().organization,
        server.admin().token.as_ref().unwrap(),
    );
    let request = |headers: &str| format!("GET /v1/{organization}/{AGENTS} HTTP/1.1\r\n{headers}\r\n");
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let issuer = format!("X-ORG-ID: {organization}\r\n");
    for (headers, expected) in [
        (format!("Host: test\r\n{bearer}{issuer}"), 200),
        (bearer.clone(), 400),
        (format!("Host: test\r\nHost: test\r\n{bearer}"), 400),
        (format!("Host: test\r\nhost: other\r\n{bearer}"), 400),
        (format!("Host: test\r\n{bearer}{bearer}"), 400),
        (format!("Host: test\r\n{bearer}{issuer}x-org-id: other\r\n"), 400),
        (format!("Host: evil.com/x?\r\n{bearer}"), 400),
        (format!("Host: a@b\r\n{bearer}"), 400),
    ] {
        let answer = answer(&address, &request(&headers)).await;
        assert_eq!(status(&answer), expected, "{headers}: {answer}");
        assert!(
            expected == 200 || answer.contains("\"detail\":\"the header `"),
            "{answer}"
        );
    }
    // What asks whether the server lives may be older than that.
    assert_eq!(
        status(&answer(&address, "GET /healthz HTTP/1.0\r\n\r\n").await),
        200
    );
    assert_eq!(status(&answer(&address, &get("/healthz")).await), 200);
}

#[tokio::test]
async fn a_whole_address_names_the_host_that_the_header_names() {
    let server = TestServer::start(Engine::Sqlite).await;
    let address = serve(&server, Limits::default()).await;
    for (target, host, expected) in [
        ("http://test/healthz", "Host: test\r\n", 200),
        ("http://TEST:80/healthz", "Host: test\r\n", 200),
        ("http://test/healthz", "Host: other\r\n", 400),
        ("http://other/healthz", "Host: test\r\n", 400),
        ("http://test:81/healthz", "Host: test\r\n", 400),
        ("http://user@test/healthz", "Host: test\r\n", 400),
        ("http://user:word@test/healthz", "Host: test\r\n", 400),
        ("http://user@test/healthz", "", 400),
        ("http://test/healthz", "", 200),
    ] {
        let answer = answer(&address, &format!("GET {target} HTTP/1.1\r\n{host}\r\n")).await;
        assert_eq!(status(&answer), expected, "{target} {host}: {answer}");
    }
}

#[tokio::test]
async fn a_body_that_is_announced_as_too_large_is_refused_before_it_is_sent() {
    let server = TestServer::start(Engine::Sqlite).await;
    let address = serve(&server, Limits::default()).await;
    let (organization, token) = (
        &server.admin().organization,
        server.admin().token.as_ref().unwrap(),
    );
    let request = |token: &str, length: usize| {
        format!(
            "POST /v1/{organization}/{AGENTS} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\n\
            Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    assert_eq!(
        status(&answer(&address, &request(token, 5 * 1024 * 1024)).await),
        413
    );
    assert_eq!(status(&answer(&address, &request(token, 100)).await), 100);
    assert_eq!(status(&answer(&address, &request("garbage", 100)).await), 401);
    let user = server.user(forge_domain::access::DefaultRole::User).await;
    let refused = answer(&address, &request(user.token.as_ref().unwrap(), 4 * 1024 * 1024)).await;
    assert_eq!(status(&refused), 403, "nothing of the body has been sent");
}

#[tokio::test]
async fn a_head_beyond_what_is_told_ends_before_it_costs_much() {
    let server = TestServer::start(Engine::Sqlite).await;
    let address = serve(&server, Limits::default()).await;
    let head = |bytes: usize| {
        format!(
            "GET /healthz HTTP/1.1\r\nHost: test\r\nx-large: {}",
            "x".repeat(bytes)
        )
    };
    assert_eq!(
        status(&answer(&address, &format!("{}\r\n\r\n", head(31 * 1024))).await),
        200
    );
    // It does not end, but as much of it has come as is admitted.
    assert_eq!(status(&answer(&address, &head(64 * 1024)).await), 431);
}

#[tokio::test]
async fn pages_of_other_origins_may_call_only_where_that_is_configured() {
    let server = TestServer::start(Engine::Sqlite).await;
    let (app, other) = ("https://app.example.com", "https://evil.example.com");
    let asked = |router: forge_api::Router, method: Method, origin: &'static str| {
        let client = forge_testkit::TestClient {
            router,
            ..server.admin().clone()
        };
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "PUT"),
            (
                "access-control-request-headers",
                "authorization,content-type,if-match",
            ),
        ];
        async move {
            let answer = client.send_raw(method, AGENTS, &headers, None, Vec::new()).await;
            (answer.status, answer.headers)
        }
    };
    let open = || {
        server.router_with(Limits {
            allowed_origins: vec![app.to_owned()],
            ..forge_testkit::limits()
        })
    };
    let closed = || server.router_with(forge_testkit::limits());
    let admits = |headers: &axum::http::HeaderMap| headers.get("access-control-allow-origin").cloned();

    let (status, headers) = asked(open(), Method::OPTIONS, app).await;
    assert_eq!(status, 200);
    assert_eq!(admits(&headers).unwrap(), app);
    assert!(
        headers["access-control-allow-methods"]
            .to_str()
            .unwrap()
            .contains("PUT")
    );
    assert!(
        headers["access-control-allow-headers"]
            .to_str()
            .unwrap()
            .contains("if-match")
    );
    assert!(!headers.contains_key("access-control-allow-credentials"));
    let (status, headers) = asked(open(), Method::GET, app).await;
    assert_eq!(status, 200);
    assert_eq!(admits(&headers).unwrap(), app);
    assert!(
        headers["access-control-expose-headers"]
            .to_str()
            .unwrap()
            .contains("forge-sequence")
    );

    assert_eq!(admits(&asked(open(), Method::OPTIONS, other).await.1), None);
    assert_eq!(admits(&asked(open(), Method::GET, other).await.1), None);
    let (status, headers) = asked(closed(), Method::OPTIONS, app).await;
    assert_eq!((status.as_u16(), admits(&headers)), (405, None));
    assert_eq!(admits(&asked(closed(), Method::GET, app).await.1), None);
}
