//! Connections to a server that listens, written and read by the byte.

use std::time::Duration;

use forge_api::Limits;
use forge_testkit::TestServer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const AGENTS: &str = "organization/agent";

/// Serves until the test ends, and returns where.
pub(crate) async fn serve(server: &TestServer, limits: Limits) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let app = server.app.clone();
    // Other tests have runs in the same database.
    let limits = Limits {
        parallel_simulations: 0,
        ..limits
    };
    tokio::spawn(forge_api::serve(listener, app, limits, std::future::pending()));
    address
}

/// A connection to a server.
pub(crate) struct Connection(pub(crate) TcpStream);

impl Connection {
    pub(crate) async fn open(address: &str) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// Sends a request and returns the whole answer.
    pub(crate) async fn send(&mut self, request: &str) -> String {
        self.0.write_all(request.as_bytes()).await.unwrap();
        self.answer().await
    }

    /// Reads one answer: its head, and as much of a body as the head tells.
    pub(crate) async fn answer(&mut self) -> String {
        let mut answer = Vec::new();
        while !is_whole(&answer) {
            let mut bytes = [0; 4096];
            let reading = tokio::time::timeout(Duration::from_mins(1), self.0.read(&mut bytes));
            let count = reading.await.unwrap().unwrap();
            assert!(count > 0, "closed after {}", String::from_utf8_lossy(&answer));
            answer.extend(&bytes[..count]);
        }
        String::from_utf8(answer).unwrap()
    }
}

pub(crate) fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    length.is_none_or(|length| body.len() >= length.parse().unwrap())
}

pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n")
}
