//! Answers.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::ApiError;

/// Names the organization's change number after a write.
pub(crate) const FORGE_SEQUENCE: HeaderName = HeaderName::from_static("forge-sequence");

/// What an endpoint answers.
pub(crate) type Answer = Result<Response, ApiError>;

/// Answers with JSON.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    match serde_json::to_vec(body) {
        Ok(bytes) => Ok((
            status,
            [(axum::http::header::CONTENT_TYPE, "application/json")],
            bytes,
        )
            .into_response()),
        Err(error) => Err(forge_app::AppError::Internal(Box::new(error)).into()),
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
