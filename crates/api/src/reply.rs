//! Answers.

use std::io;

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use forge_app::{Written, aside};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::ApiError;

/// Names the organization's change number after a write.
pub(crate) const FORGE_SEQUENCE: HeaderName = HeaderName::from_static("forge-sequence");

/// What an endpoint answers.
pub(crate) type Answer = Result<Response, ApiError>;

/// Answers with JSON that is small.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    match serde_json::to_vec(body) {
        Ok(bytes) => Ok((status, [(CONTENT_TYPE, "application/json")], bytes).into_response()),
        Err(error) => Err(unwritable(error)),
    }
}

/// Answers with JSON that may be large: what has more than 64 KiB is written aside.
pub(crate) async fn large<T: Serialize + Send + 'static>(status: StatusCode, body: T) -> Answer {
    let mut start = Start(Vec::new());
    let bytes = match serde_json::to_writer(&mut start, &body) {
        Ok(()) => Bytes::from(start.0),
        // Then it is begun anew: how long it becomes is not known before.
        Err(error) if error.is_io() => {
            let bytes = aside::run(usize::MAX, move || serde_json::to_vec(&body)).await;
            Bytes::from(bytes.map_err(unwritable)?)
        }
        Err(error) => return Err(unwritable(error)),
    };
    Ok((status, [(CONTENT_TYPE, "application/json")], bytes).into_response())
}

fn unwritable(error: serde_json::Error) -> ApiError {
    forge_app::AppError::Internal(Box::new(error)).into()
}

/// Takes an answer unless it is large.
struct Start(Vec<u8>);

impl io::Write for Start {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > aside::LARGE {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Says that an answer holds a secret, so that nothing between here and the client may keep it.
pub(crate) fn secret(mut response: Response) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(axum::http::header::CACHE_CONTROL, no_store);
    response
}

/// Answers that something was done and that there is nothing to say about it: an object without fields, because
/// clients that expect JSON cannot read an empty body.
pub(crate) fn done(status: StatusCode) -> Answer {
    json(status, &Map::<String, Value>::new())
}

/// Answers without a body.
pub(crate) fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// Adds the change number of the write that the answer is about.
pub(crate) fn with_sequence(mut response: Response, change_number: Option<i64>) -> Response {
    if let Some(change_number) = change_number {
        response
            .headers_mut()
            .insert(FORGE_SEQUENCE, HeaderValue::from(change_number));
    }
    response
}

/// Answers that something was created, with the body that says what.
pub(crate) fn created<T, B: Serialize>(written: Written<T>, body: impl FnOnce(T) -> B) -> Answer {
    let response = json(StatusCode::CREATED, &body(written.value))?;
    Ok(with_sequence(response, Some(written.change_number)))
}

/// Adds the change number of a write, if there was one: a change that changes nothing writes nothing.
pub(crate) fn changed(response: Response, written: Option<Written<()>>) -> Response {
    with_sequence(response, written.map(|written| written.change_number))
}
