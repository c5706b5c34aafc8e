//! What the server admits of any request and any connection.

use std::time::Duration;

use axum::http::Method;
use forge_api::Limits;
use forge_testkit::{Engine, TestResponse, TestServer, both_engines};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::connections::{AGENTS, Connection, get, serve};

async fn with_headers(server: &TestServer, headers: &[(&str, &str)]) -> TestResponse {
    server
        .admin()
        .send_raw(Method::GET, AGENTS, headers, None, Vec::new())
        .await
}

#[both_engines]
async fn too_many_headers_are_refused(server: TestServer) {
    let names: Vec<String> = (0..100).map(|number| format!("x-{number}")).collect();
    let headers: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "v")).collect();
    // With the header of the credentials, the last one is one too many.
    assert_eq!(with_headers(&server, &headers[..99]).await.status, 200);
    let refused = with_headers(&server, &headers).await;
    assert_eq!(refused.status, 431);
    assert!(refused.detail().contains("100 headers of 32768 bytes"));
}

#[both_engines]
async fn too_large_headers_are_refused(server: TestServer) {
    let large = "v".repeat(32 * 1024);
    assert_eq!(
        with_headers(&server, &[("x-large", &large[..30_000])])
            .await
            .status,
        200
    );
    let refused = with_headers(&server, &[("x-large", &large)]).await;
    assert_eq!(refused.status, 431);
    assert!(refused.detail().contains("too large headers"));
}

/// Returns the head of a request with a body of that many bytes.
fn post(server: &TestServer, length: usize) -> String {
    let (organization, token) = (
        &server.admin().organization,
        server.admin().token.as_ref().unwrap(),
    );
    format!(
        "POST /v1/{organization}/{AGENTS} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\n\
        Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_is_refused() {
    let server = TestServer::start(Engine::Sqlite).await;
    let limits = Limits {
        body_timeout: Duration::from_millis(200),
        ..Limits::default()
    };
    let address = serve(&server, limits).await;
    let mut slow = Connection::open(&address).await;
    let answer = slow.send(&format!("{}{{\"agent", post(&server, 100))).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(
        answer.contains("application/json") && answer.contains("detail"),
        "{answer}"
    );
    let there = server.admin().get(AGENTS).await;
    assert_eq!(there.body["agents"], serde_json::json!([]));
}

#[tokio::test]
async fn large_bodies_find_a_place_or_are_told_to_come_back_and_small_ones_need_none() {
    let server = TestServer::start(Engine::Sqlite).await;
    let limits = Limits {
        bodies_bytes: 150_000,
        max_body_bytes: 100_000,
        ..Limits::default()
    };
    let address = serve(&server, limits).await;
    let expecting = |length: usize| {
        let expect = "Expect: 100-continue\r\n\r\n";
        format!("{}{expect}", post(&server, length).strip_suffix("\r\n").unwrap())
    };
    let body = |name: &str, length: usize| {
        let body = format!("{{\"agent_name\": \"{name}\"}}");
        let blanks = " ".repeat(length - body.len());
        body + &blanks
    };
    let mut first = Connection::open(&address).await;
    assert!(first.send(&expecting(100_000)).await.starts_with("HTTP/1.1 100 "));
    let whole = body("First", 100_000);
    let (most, rest) = whole.split_at(80_000);
    first.0.write_all(most.as_bytes()).await.unwrap();
    // As soon as that has come, another one finds no place.
    let mut number = 0;
    let refused = loop {
        number += 1;
        let large = format!(
            "{}{}",
            post(&server, 90_000),
            body(&format!("Other {number}"), 90_000)
        );
        let told = Connection::open(&address).await.send(&large).await;
        if !told.starts_with("HTTP/1.1 201 ") {
            break told;
        }
    };
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    assert!(refused.to_lowercase().contains("retry-after: 1"), "{refused}");
    let mut small = Connection::open(&address).await;
    let told = small
        .send(&format!("{}{}", post(&server, 60_000), body("Small", 60_000)))
        .await;
    assert!(told.starts_with("HTTP/1.1 201 "), "{told}");
    let told = first.send(rest).await;
    assert!(told.starts_with("HTTP/1.1 201 "), "{told}");
    let mut next = Connection::open(&address).await;
    let told = next
        .send(&format!("{}{}", post(&server, 90_000), body("Next", 90_000)))
        .await;
    assert!(told.starts_with("HTTP/1.1 201 "), "{told}");
}

#[tokio::test]
async fn whoever_finds_no_place_is_told_to_come_back() {
    let server = TestServer::start(Engine::Sqlite).await;
    let limits = Limits {
        max_connections: 2,
        ..Limits::default()
    };
    let address = serve(&server, limits).await;
    let (mut first, mut second) = (Connection::open(&address).await, Connection::open(&address).await);
    for connection in [&mut first, &mut second] {
        assert!(
            connection
                .send(&get("/healthz"))
                .await
                .starts_with("HTTP/1.1 200 ")
        );
    }
    let refused = Connection::open(&address).await.answer().await;
    assert!(
        refused.starts_with("HTTP/1.1 503 ") && refused.contains("Retry-After: 1"),
        "{refused}"
    );
    let (head, body) = refused.split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains(&format!("Content-Length: {}", body.len())),
        "{refused}"
    );
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert!(body["detail"].as_str().unwrap().contains("too many connections"));
    assert!(
        first.send(&get("/healthz")).await.starts_with("HTTP/1.1 200 "),
        "those inside are not affected"
    );
    drop(second);
    let mut is_answered = false;
    for _ in 0..500 {
        // A refused connection may break before the request is sent.
        let mut connection = TcpStream::connect(&address).await.unwrap();
        let mut answer = [0; 13];
        is_answered = connection.write_all(get("/healthz").as_bytes()).await.is_ok()
            && connection.read_exact(&mut answer).await.is_ok()
            && &answer == b"HTTP/1.1 200 ";
        if is_answered {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(is_answered, "the place that became free is given again");
}

#[tokio::test]
async fn a_connection_goes_on_after_an_error() {
    let server = TestServer::start(Engine::Sqlite).await;
    let address = serve(&server, Limits::default()).await;
    let mut connection = Connection::open(&address).await;
    let body = "{\"agent_name\": 7}";
    for (request, status) in [
        (get("/no/such/path"), 404),
        (get(&format!("/v1/{}/{AGENTS}", server.admin().organization)), 401),
        (format!("{}{body}", post(&server, body.len())), 422),
        (get("/v1/nobody/organization/agent"), 404),
        (get("/healthz"), 200),
    ] {
        let answer = connection.send(&request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_connection_goes_on_after_a_body_that_nobody_read_or_says_that_it_ends() {
    let server = TestServer::start(Engine::Sqlite).await;
    let address = serve(&server, Limits::default()).await;
    let path = format!("/v1/{}/{AGENTS}", server.admin().organization);
    let head = |more: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n{more}\r\n\r\n")
    };
    let mut connection = Connection::open(&address).await;
    for (more, body) in [
        ("Content-Length: 16", "{\"agent_name\":1}".to_owned()),
        ("Content-Length: 200000", "1".repeat(200_000)),
        ("Transfer-Encoding: chunked", "4\r\n1234\r\n0\r\n\r\n".to_owned()),
    ] {
        // A client that sends the head by itself is refused before it has sent the body.
        connection.0.write_all(head(more).as_bytes()).await.unwrap();
        tokio::task::yield_now().await;
        let answer = connection.send(&body).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
        assert!(!answer.to_lowercase().contains("connection: close"), "{answer}");
        let next = connection.send(&get("/healthz")).await;
        assert!(next.starts_with("HTTP/1.1 200 "), "{more}: {next}");
    }
    for more in [
        "Content-Length: 2000000",
        "Content-Length: 16\r\nExpect: 100-continue",
    ] {
        let answer = Connection::open(&address).await.send(&head(more)).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
        assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
    }
}
