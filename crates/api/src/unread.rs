//! What is left of a request whose answer was given before all of its body was read.
//!
//! An answer may come early: the caller is unknown, or may not do it. Then the rest of the body still stands between this
//! request and the next one on the connection. If the server just closed it, a client that goes on sending loses its
//! next request, and a proxy that shares connections loses somebody else's.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Frame, SizeHint};

/// How much of a body is taken and forgotten so that its connection can go on, in bytes, and for how long.
const MOST: u64 = 1024 * 1024;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// A body that can be read on after whoever read it has given it up.
#[derive(Clone)]
struct Shared(Arc<Mutex<Body>>);

impl Shared {
    fn with<T>(&self, look: impl FnOnce(&mut Body) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl hyper::body::Body for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.with(|body| Pin::new(body).poll_frame(context))
    }

    fn is_end_stream(&self) -> bool {
        self.with(|body| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.with(|body| body.size_hint())
    }
}

/// What is not yet read of the body of a request.
pub(crate) struct Unread {
    body: Shared,
    /// Whether the client waits to be asked for it: whoever is refused then sends none.
    waits: bool,
}

impl Unread {
    /// Returns a request, and what will not be read of its body, if it has one.
    pub(crate) fn of(request: Request) -> (Request, Option<Self>) {
        if request.body().is_end_stream() {
            return (request, None);
        }
        let waits = request.headers().contains_key(header::EXPECT);
        let (parts, body) = request.into_parts();
        let body = Shared(Arc::new(Mutex::new(body)));
        let request = Request::from_parts(parts, Body::new(body.clone()));
        (request, Some(Self { body, waits }))
    }

    /// Takes what is left of the body once its request is answered.
    ///
    /// Where that is too much, or takes too long, the answer says that the connection ends.
    pub(crate) async fn take(self, response: &mut Response) {
        if !self.body.is_end_stream() && (self.waits || !is_taken(self.body).await) {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
    }
}

/// Takes a body to its end, unless that is too far away.
async fn is_taken(mut body: Shared) -> bool {
    if body.size_hint().lower() > MOST {
        return false;
    }
    let take = async {
        let mut taken = 0;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return false };
            taken += frame.data_ref().map_or(0, |data| data.len() as u64);
            if taken > MOST {
                return false;
            }
        }
        true
    };
    tokio::time::timeout(DRAIN_TIMEOUT, take).await.unwrap_or(false)
}
