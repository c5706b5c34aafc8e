//! What happens to every request, whatever it asks.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use forge_app::Random;
use tracing::Instrument as _;

use crate::error::ApiError;
use crate::unread;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken over from a client.
const MAX_REQUEST_ID: usize = 64;

/// Marks an answer that is given thousands of times a second: a line about each would bury the others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frequent;

/// Gives every request an id, its own if it brings a sensible one, and logs one line about it.
///
/// Neither path nor query nor headers nor bodies are logged: any of them may hold secrets or personal data.
pub(crate) async fn observe(random: Arc<dyn Random>, request: Request, next: Next) -> Response {
    let id = request
        .headers()
        .get(REQUEST_ID)
        .filter(|id| is_sensible(id))
        .cloned();
    let id = id.unwrap_or_else(|| new_id(random.as_ref()));
    let span = tracing::info_span!(
        "request",
        id = id.to_str().unwrap_or_default(),
        method = %request.method(),
        operation = tracing::field::Empty,
    );
    let started = Instant::now();
    let mut response = async {
        let response = unread::take(request, next).await;
        // To the microsecond: more digits would tell nothing.
        let milliseconds = (started.elapsed().as_secs_f64() * 1e6).round() / 1000.0;
        let status = response.status().as_u16();
        if response.extensions().get::<Frequent>().is_some() {
            tracing::debug!(status, milliseconds, "answered");
        } else {
            tracing::info!(status, milliseconds, "answered");
        }
        response
    }
    .instrument(span)
    .await;
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

fn is_sensible(id: &HeaderValue) -> bool {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
    !id.is_empty() && id.len() <= MAX_REQUEST_ID && id.as_bytes().iter().all(plain)
}

fn new_id(random: &dyn Random) -> HeaderValue {
    let mut bytes = [0; 8];
    // An id that is not random is better than no answer.
    let _ = random.fill(&mut bytes);
    HeaderValue::try_from(forge_domain::hex(&bytes)).unwrap_or(HeaderValue::from_static("none"))
}

/// Answers for an endpoint that panicked.
pub(crate) fn panicked(reason: Box<dyn Any + Send>) -> Response {
    let text = reason
        .downcast_ref::<String>()
        .map(String::as_str)
        .or(reason.downcast_ref::<&str>().copied());
    tracing::error!(reason = text.unwrap_or("unknown"), "an endpoint panicked");
    ApiError::Panicked.into_response()
}
