//! Servers that play a provider of models, or a tool, on the loopback interface.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use forge_runtime::{AnswerFormat, ModelRoute, Models, ProviderKind, ProviderSettings};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(crate) const KEY: &str = "sk-key-of-the-test";

const EVENTS: &str = "text/event-stream";

/// How a request is answered.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Pieces of a message, with a pause before each.
    Pieces(Vec<String>, Duration),
    /// A body of this type, frame by frame, with a pause before each.
    Frames(&'static str, Vec<String>, Duration),
    /// Pieces, and then the connection breaks.
    BreaksOff(Vec<String>),
    /// A status, with headers and a body.
    Status(u16, Vec<(&'static str, String)>, String),
    /// A status and a type, and after what comes first the same again and again, for as long as anybody takes it.
    Endless(u16, &'static str, &'static str, String),
    /// A status and the beginning of a body.
    Stalls(u16, &'static str),
    /// Nothing, ever.
    Hangs,
}

impl Reply {
    pub(crate) fn text(text: &str) -> Self {
        Self::Pieces(vec![text.to_owned()], Duration::ZERO)
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Status(status, Vec::new(), "a body with secrets".to_owned())
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Seen {
    fn message(&self, index: usize, role: &str) -> String {
        let message = &self.body["messages"][index];
        assert_eq!(message["role"], role, "{}", self.body);
        message["content"].as_str().unwrap().to_owned()
    }

    pub(crate) fn system(&self) -> String {
        self.message(0, "system")
    }

    pub(crate) fn user(&self) -> String {
        assert_eq!(self.body["messages"].as_array().unwrap().len(), 2);
        self.message(1, "user")
    }
}

#[derive(Clone)]
struct Shared {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// How many bytes of endless answers were taken.
    taken: Arc<AtomicUsize>,
}

/// A server with a list of replies; the last one is for all later requests too.
pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    shared: Shared,
}

impl Provider {
    pub(crate) async fn start(replies: Vec<Reply>) -> Self {
        let shared = Shared {
            replies: Arc::new(Mutex::new(replies.into())),
            seen: Arc::default(),
            taken: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, shared }
    }

    /// Returns what was asked so far.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Returns how many bytes of endless answers were taken so far, those on their way included.
    pub(crate) fn taken(&self) -> usize {
        self.shared.taken.load(Ordering::Relaxed)
    }

    /// Returns models that this server serves, as OpenAI would.
    pub(crate) fn models(&self) -> Models {
        self.models_with(AnswerFormat::default())
    }

    /// Returns the same, held to the form of their answers.
    pub(crate) fn models_with(&self, answer_format: AnswerFormat) -> Models {
        let kind = ProviderKind::OpenAiCompatible {
            base_url: format!("http://{}/v1", self.address),
            key: Some(KEY.to_owned()),
        };
        models(kind, answer_format)
    }
}

pub(crate) fn models(kind: ProviderKind, answer_format: AnswerFormat) -> Models {
    models_as("care-7b", kind, answer_format)
}

/// Returns a model that its provider calls by another name.
pub(crate) fn models_as(provider_model: &str, kind: ProviderKind, answer_format: AnswerFormat) -> Models {
    let provider = ProviderSettings {
        name: "played".to_owned(),
        kind,
        answer_format,
        swallowed_mark: None,
    };
    let route = ModelRoute {
        model: "acme_care".to_owned(),
        provider: "played".to_owned(),
        provider_model: provider_model.to_owned(),
    };
    let default = serde_json::from_value(json!({"llm_name": "acme_care"})).unwrap();
    Models::new(vec![provider], vec![route], Some(default)).unwrap()
}

async fn answer(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    shared.seen.lock().unwrap().push(Seen {
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    });
    let reply = {
        let mut replies = shared.replies.lock().unwrap();
        let next = replies.pop_front().unwrap();
        if replies.is_empty() {
            replies.push_back(next.clone());
        }
        next
    };
    match reply {
        Reply::Pieces(pieces, pause) => {
            let end = ["data: [DONE]\n\n".to_owned()];
            let usage = json!({"choices": [], "usage": {"prompt_tokens": 30, "completion_tokens": 4, "total_tokens": 34}});
            let stop = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
            let tail = [line(&stop), line(&usage)];
            let lines: Vec<String> = pieces
                .iter()
                .map(|piece| chunk(piece))
                .chain(tail)
                .chain(end)
                .collect();
            in_frames(EVENTS, lines, pause)
        }
        Reply::Frames(content_type, frames, pause) => in_frames(content_type, frames, pause),
        Reply::BreaksOff(pieces) => {
            let lines: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::from(chunk(piece)))).collect();
            let broken = stream::once(async {
                // Until the pieces are on their way.
                tokio::time::sleep(Duration::from_millis(200)).await;
                Err(std::io::Error::other("broken"))
            });
            response(EVENTS, Body::from_stream(stream::iter(lines).chain(broken)))
        }
        Reply::Status(status, headers, body) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(Body::from(body)).unwrap()
        }
        Reply::Endless(status, content_type, first, again) => {
            let again = Bytes::from(again);
            let taken = Arc::clone(&shared.taken);
            let endless = stream::repeat(again).inspect(move |chunk| {
                taken.fetch_add(chunk.len(), Ordering::Relaxed);
            });
            let first = stream::iter([Bytes::from(first)]);
            let mut response = response(
                content_type,
                Body::from_stream(first.chain(endless).map(Ok::<_, Infallible>)),
            );
            *response.status_mut() = status.try_into().unwrap();
            response
        }
        Reply::Stalls(status, beginning) => {
            let beginning = stream::iter([Ok::<_, Infallible>(Bytes::from(beginning))]);
            let mut response = response(EVENTS, Body::from_stream(beginning.chain(stream::pending())));
            *response.status_mut() = status.try_into().unwrap();
            response
        }
        Reply::Hangs => std::future::pending().await,
    }
}

fn line(value: &Value) -> String {
    format!("data: {value}\n\n")
}

fn chunk(piece: &str) -> String {
    line(
        &json!({"id": "x", "object": "chat.completion.chunk", "model": "care-7b",
        "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": null}]}),
    )
}

fn in_frames(content_type: &str, frames: Vec<String>, pause: Duration) -> Response {
    let body = stream::iter(frames).then(move |frame| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, Infallible>(Bytes::from(frame))
    });
    response(content_type, Body::from_stream(body))
}

fn response(content_type: &str, body: Body) -> Response {
    Response::builder()
        .header("content-type", content_type)
        .body(body)
        .unwrap()
}
