//! Whoever reads has a share of what there is to read with, and no more: others are answered meanwhile.

use std::collections::BTreeSet;
use std::pin::Pin;

use axum::http::Method;
use forge_api::Limits;
use forge_domain::access::DefaultRole;
use forge_testkit::{Engine, TestClient, TestResponse, TestServer, both_engines, version_set};
use futures_util::FutureExt as _;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::connections::{Connection, serve};
use crate::support::examples::guarded;
use crate::support::grants::{any, equals, grant};
use crate::support::models::large_set;
use crate::support::organization::organization;
use crate::support::users::user_with;

/// What is answered from memory, without a place among those who read.
///
/// Everything else with GET takes one.
const FROM_MEMORY: [&str; 3] = ["get-models", "resolve-version-set", "watch-organization"];

type Answering<'a> = Pin<Box<dyn Future<Output = TestResponse> + Send + 'a>>;

/// A database that nobody else can read from for now.
struct Held {
    turns: Vec<forge_store::ReadTx>,
}

impl Held {
    async fn by(server: &TestServer) -> Self {
        let mut turns = Vec::new();
        for _ in 0..server.app.store.readers() {
            turns.push(server.app.store.read().await.unwrap());
        }
        Self { turns }
    }

    /// Lets those read who wait already, one after the other, and then somebody who came after them.
    ///
    /// Returns the answers that were given before.
    async fn let_pass(&mut self, server: &TestServer, waiting: Vec<Answering<'_>>) -> Vec<TestResponse> {
        let mut waiting: FuturesUnordered<Answering<'_>> = waiting.into_iter().collect();
        let mut next = Box::pin(server.app.store.read());
        assert!((&mut next).now_or_never().is_none());
        self.turns.pop();
        let mut answered = Vec::new();
        loop {
            tokio::select! {
                biased;
                Some(answer) = waiting.next() => answered.push(answer),
                turn = &mut next => {
                    self.turns.push(turn.unwrap());
                    return answered;
                }
            }
        }
    }
}

/// Begins to ask for something, as often as that; all of them wait.
fn ask<'a>(client: &'a TestClient, path: &'a str, times: usize) -> Vec<Answering<'a>> {
    let mut waiting = Vec::new();
    for _ in 0..times {
        let mut answering: Answering<'a> = client.get(path).boxed();
        assert!((&mut answering).now_or_never().is_none());
        waiting.push(answering);
    }
    waiting
}

/// Returns how many of one user, and of an organization's users, read at once.
fn parts(server: &TestServer) -> (usize, usize) {
    let readers = server.app.store.readers();
    (readers / 3, readers / 2)
}

#[both_engines]
async fn others_wait_for_no_more_than_the_share_of_a_user(database: TestDatabase) {
    let server = TestServer::alone(&database).await;
    let (of_a_user, _) = parts(&server);
    let path = format!("service/{}/version_sets/", server.service(1).await);
    assert_eq!(server.admin().get(&path).await.status, 200);
    let mut held = Held::by(&server).await;
    let waiting = ask(server.admin(), &path, 30);
    let answered = held.let_pass(&server, waiting).await;
    assert!(answered.len() <= of_a_user, "{}", answered.len());
    assert!(answered.iter().all(|answer| answer.status == 200));
}

#[both_engines]
async fn others_wait_for_no_more_than_the_share_of_an_organization(database: TestDatabase) {
    let server = TestServer::alone(&database).await;
    let (of_a_user, of_an_organization) = parts(&server);
    let mut users = Vec::new();
    for _ in 0..6 {
        let user = server.user(DefaultRole::User).await;
        assert_eq!(user.get("service/").await.status, 200);
        users.push(user);
    }
    let mut held = Held::by(&server).await;
    let mut waiting = Vec::new();
    for user in &users {
        waiting.extend(ask(user, "service/", of_a_user));
    }
    let answered = held.let_pass(&server, waiting).await;
    assert!(answered.len() <= of_an_organization, "{}", answered.len());
    assert!(answered.iter().all(|answer| answer.status == 200));
}

#[both_engines]
async fn every_operation_that_reads_takes_a_place(database: TestDatabase) {
    let server = TestServer::alone(&database).await;
    let (admin, (of_a_user, _)) = (server.admin(), parts(&server));
    let operations = Box::pin(guarded(&server)).await;
    let reading: Vec<_> = operations
        .iter()
        .filter(|one| one.method == Method::GET)
        .collect();
    let ids: BTreeSet<&str> = reading.iter().map(|one| one.id.as_str()).collect();
    assert!(FROM_MEMORY.iter().all(|id| ids.contains(id)));
    for one in &reading {
        let status = one.call(admin, &[]).await.status;
        assert!(status.is_success(), "{}: {status}", one.id);
    }
    let mut held = Held::by(&server).await;
    for one in &reading {
        if FROM_MEMORY.contains(&one.id.as_str()) {
            assert!(one.call(admin, &[]).await.status.is_success(), "{}", one.id);
            continue;
        }
        let waiting = ask(admin, "organization/agent", of_a_user);
        let mut asked = one.call(admin, &[]).boxed();
        assert!((&mut asked).now_or_never().is_none(), "{} takes no place", one.id);
        let mut all = waiting;
        all.push(asked);
        let answered = held.let_pass(&server, all).await;
        assert!(answered.len() <= of_a_user, "{} takes no place", one.id);
    }
}

#[both_engines]
async fn sets_that_are_not_told_are_not_read(database: TestDatabase) {
    let server = TestServer::alone(&database).await;
    let (admin, service) = (server.admin(), server.service(1).await);
    let pins = json!({"version_set": version_set(1, 1)});
    for set in ["test", "hidden"] {
        let path = format!("service/{service}/version_sets/{set}/");
        assert_eq!(admin.put(&path, pins.clone()).await.status, 204);
    }
    let seen = grant("Service:GetVersionSet", &equals("version_set_name", "test"));
    let services = any("Service:GetService");
    let some = user_with(&server, "Some", vec![services.clone(), seen]).await;
    let none = user_with(&server, "None", vec![services]).await;
    database
        .tamper("UPDATE version_set SET model_preferences = 'unreadable' WHERE name = 'hidden'")
        .await;
    let (organization, id) = (organization(&server), service.parse().unwrap());
    let mut tx = server.app.store.read().await.unwrap();
    assert!(
        tx.list_sets(&organization, id, usize::MAX).await.is_err(),
        "whoever reads it notices"
    );
    drop(tx);
    let own = format!("service/{service}");
    for path in [
        "service/",
        &format!("{own}/version_sets/"),
        &format!("{own}/health"),
    ] {
        let told = some.get(path).await;
        assert_eq!(told.status, 200, "{path}: {}", told.body);
        let told = told.body.to_string();
        assert!(
            told.contains("\"test\"") && !told.contains("\"hidden\""),
            "{path}: {told}"
        );
    }
    let told = none.get("service/").await;
    assert_eq!(told.body["services"][0]["version_sets"], json!({}));
}

/// Opens a connection that takes little, and asks for something on it.
async fn ask_slowly(address: &str, request: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address.parse().unwrap()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn the_parts_of_a_stream_that_nobody_takes_have_places() {
    let server = TestServer::start(Engine::Sqlite).await;
    let (admin, service) = (server.admin(), server.service(1).await);
    for number in 0..16 {
        let path = format!("service/{service}/version_sets/test{number}/");
        assert_eq!(admin.put(&path, large_set(number)).await.status, 204);
    }
    // There is room for one large answer.
    let limits = Limits {
        bodies_bytes: 1,
        ..Limits::default()
    };
    let address = serve(&server, limits).await;
    let get = |path: &str| {
        let (organization, token) = (&admin.organization, admin.token.as_deref().unwrap());
        format!(
            "GET /v1/{organization}/{path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\n\r\n"
        )
    };
    let sets = get(&format!("service/{service}/version_sets/"));
    let mut asking = Connection::open(&address).await;
    assert!(asking.send(&sets).await.starts_with("HTTP/1.1 200 "));
    let mut export = ask_slowly(&address, &get("audit_event/export")).await;
    let mut bytes = vec![0; 4096];
    // As soon as something of it is there, the server has handed over a whole part.
    let mut told = Vec::new();
    while told.len() < 4096 {
        let count = export.read(&mut bytes).await.unwrap();
        told.extend(&bytes[..count]);
    }
    assert!(told.starts_with(b"HTTP/1.1 200 "));
    let refused = asking.send(&sets).await;
    assert!(refused.starts_with("HTTP/1.1 503 "), "{}", &refused[..200]);
    // Another one breaks off where it would need a place.
    let mut other = ask_slowly(&address, &get("audit_event/export")).await;
    let mut cut = Vec::new();
    // Whether the end is told as an error is up to the system.
    let _ = other.read_to_end(&mut cut).await;
    let is_whole = |told: &[u8]| told.ends_with(b"0\r\n\r\n");
    assert!(!is_whole(&cut));
    while !is_whole(&told) {
        let count = export.read(&mut bytes).await.unwrap();
        assert!(count > 0, "the export broke off");
        told.extend(&bytes[..count]);
    }
    assert!(String::from_utf8_lossy(&told).contains("\"checkpoint\""));
    assert!(asking.send(&sets).await.starts_with("HTTP/1.1 200 "));
}
