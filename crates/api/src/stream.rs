//! Answers that are sent while they come about.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use hyper::body::Frame;
use tokio::sync::mpsc;

/// How many messages wait for a reader before the server waits, too.
pub(crate) const WAITING: usize = 16;

/// Hands messages over to one reader.
pub(crate) struct Sender {
    messages: mpsc::Sender<Bytes>,
    /// How long a reader may leave the messages waiting.
    patience: Duration,
}

impl Sender {
    /// Hands over a message; tells whether the reader took it in time.
    ///
    /// One who does not is cut off: messages are not kept for anybody.
    pub(crate) async fn send(&self, message: String) -> bool {
        let sending = self.messages.send(Bytes::from(message));
        matches!(tokio::time::timeout(self.patience, sending).await, Ok(Ok(())))
    }

    /// Waits until the reader has taken all messages; tells whether that was in time.
    ///
    /// For messages of which each is large: the next one is not made before.
    pub(crate) async fn taken(&self) -> bool {
        let all = self.messages.reserve_many(self.messages.max_capacity());
        matches!(tokio::time::timeout(self.patience, all).await, Ok(Ok(_)))
    }

    /// Waits until the reader is gone.
    pub(crate) async fn closed(&self) {
        self.messages.closed().await;
    }
}

/// Returns an answer whose body is what the sender sends.
pub(crate) fn open(status: StatusCode, content_type: &'static str, patience: Duration) -> (Sender, Response) {
    let (messages, receiver) = mpsc::channel(WAITING);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // Proxies that collect answers before they pass them on are asked not to.
        (
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        ),
    ];
    let response = (status, headers, Body::new(Messages(receiver))).into_response();
    (Sender { messages, patience }, response)
}

/// The body of the answer.
struct Messages(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Messages {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0
            .poll_recv(context)
            .map(|message| message.map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn what_was_sent_is_waited_for_until_it_is_taken() {
        let (sender, response) = open(StatusCode::OK, "text/event-stream", Duration::from_mins(1));
        assert_eq!(sender.taken().now_or_never(), Some(true), "there is nothing");
        let mut body = response.into_body();
        for text in ["one", "two"] {
            assert!(sender.send(text.to_owned()).await);
        }
        body.frame().await.unwrap().unwrap();
        assert_eq!(sender.taken().now_or_never(), None, "one is left");
        body.frame().await.unwrap().unwrap();
        assert_eq!(sender.taken().now_or_never(), Some(true));
        assert!(sender.send("three".to_owned()).await);
        let impatient = Sender {
            patience: Duration::ZERO,
            ..sender
        };
        assert!(!impatient.taken().await);
        drop(body);
        assert!(!impatient.taken().await, "the reader is gone");
    }
}
