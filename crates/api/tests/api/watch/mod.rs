//! Following the changes of an organization.

mod changes;
mod rights;
mod stream;

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use forge_api::Limits;
use forge_api::Router;
use forge_app::{App, Environment};
use forge_testkit::{TestClient, TestServer, version_set};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// How long a message may take that has to come.
const SOON: Duration = Duration::from_secs(20);

/// A message of the stream.
#[derive(Debug, Clone, PartialEq)]
struct Message {
    id: Option<i64>,
    event: Option<String>,
    data: Value,
}

/// Somebody who follows.
struct Stream {
    body: Body,
    unread: String,
}

impl Stream {
    async fn open(
        router: &Router,
        client: &TestClient,
        query: &str,
        last: Option<&str>,
    ) -> Result<Self, (StatusCode, Value)> {
        let mut request = Request::get(format!("/v1/{}/watch{query}", client.organization));
        if let Some(token) = &client.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = router
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        if parts.status != StatusCode::OK {
            let bytes = body.collect().await.unwrap().to_bytes();
            return Err((parts.status, serde_json::from_slice(&bytes).unwrap()));
        }
        assert_eq!(parts.headers["content-type"], "text/event-stream");
        Ok(Self {
            body,
            unread: String::new(),
        })
    }

    /// Opens a stream of everything that the client may see from now on.
    async fn of(client: &TestClient) -> Self {
        Self::open(&client.router, client, "", None).await.unwrap()
    }

    /// Returns the next block of the stream, comments included; nothing when the stream is over.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.unread.split_once("\n\n") {
                let block = block.to_owned();
                let rest = rest.to_owned();
                self.unread = rest;
                return Some(block);
            }
            let frame = tokio::time::timeout(SOON, self.body.frame()).await.unwrap()?;
            let data = frame.unwrap().into_data().unwrap();
            self.unread.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// Returns the next line, that of a comment too.
    async fn line(&mut self) -> String {
        loop {
            if let Some((line, rest)) = self.unread.split_once('\n') {
                let (line, rest) = (line.to_owned(), rest.to_owned());
                self.unread = rest;
                return line;
            }
            let frame = tokio::time::timeout(SOON, self.body.frame()).await.unwrap();
            let data = frame.unwrap().unwrap().into_data().unwrap();
            self.unread.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// Returns the next message that tells of something; nothing when the stream is over.
    async fn next(&mut self) -> Option<Message> {
        loop {
            let message = self.message().await?;
            if message.event.as_deref() != Some("progress") {
                return Some(message);
            }
        }
    }

    /// Returns the next message with content; nothing when the stream is over.
    async fn message(&mut self) -> Option<Message> {
        loop {
            let block = self.block().await?;
            let field = |name: &str| {
                block
                    .lines()
                    .find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned))
            };
            if let Some(data) = field("data") {
                return Some(Message {
                    id: field("id").map(|id| id.parse().unwrap()),
                    event: field("event"),
                    data: serde_json::from_str(&data).unwrap(),
                });
            }
        }
    }

    async fn change(&mut self) -> Message {
        let message = self.next().await.unwrap();
        assert_eq!(message.event.as_deref(), Some("change"), "{message:?}");
        assert_eq!(message.id, message.data["sequence"].as_i64());
        message
    }
}

async fn put(client: &TestClient, service: &str, set: &str, agent: i64) -> i64 {
    let body = json!({"version_set": version_set(agent, 1)});
    let answer = client
        .put(&format!("service/{service}/version_sets/{set}/"), body)
        .await;
    answer
        .sequence()
        .unwrap_or_else(|| panic!("{} {}", answer.status, answer.body))
}

/// Returns the same server without what it has in memory.
fn forgetful(server: &TestServer, limits: Limits) -> Router {
    let environment = Environment {
        snapshots: std::sync::Arc::default(),
        ..Environment::clone(&server.app)
    };
    Router::new(App::new(server.app.store.clone(), environment), limits)
}
