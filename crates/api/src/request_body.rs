//! Reading the body of a request.

use axum::body::{Body, Bytes, HttpBody as _};
use axum::http::{HeaderMap, HeaderValue, header};
use forge_contract::{Operation, mentions_terms};
use forge_wire::json;
use http_body_util::BodyExt as _;
use serde_json::Value;

use crate::bodies::Growing;
use crate::error::ApiError;
use crate::headers::is_json;
use crate::{Limits, form};

/// How large a body may be where none is documented, in bytes.
const MOST_TERM_BYTES: usize = 16 * 1024;

/// The body of a request as it came.
pub(crate) enum Content {
    /// The fields of a form.
    Form(Value),
    /// Bytes, and whether the headers declare them as JSON.
    Bytes(Bytes, bool),
}

impl Content {
    /// Returns how many bytes are still to be understood.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Form(_) => 0,
            Self::Bytes(bytes, _) => bytes.len(),
        }
    }
}

/// Returns how large the body of a request may be; 0 if it is not read.
pub(crate) fn most_bytes(operation: &Operation, limits: &Limits) -> usize {
    if operation.is_form {
        limits.max_body_bytes
    } else if !operation.looks_at_body() || !operation.needs_user && operation.body.is_none() {
        // Nobody in particular sends what nobody reads.
        0
    } else if operation.body.is_some() {
        limits.max_body_bytes
    } else {
        // It may have options of ours, and nothing else.
        limits.max_body_bytes.min(MOST_TERM_BYTES)
    }
}

/// Reads the body of a request, which takes its place meanwhile.
pub(crate) async fn read_content(
    operation: &Operation,
    limits: &Limits,
    headers: &HeaderMap,
    body: Body,
    place: &mut Growing,
) -> Result<Content, ApiError> {
    let most = place.largest();
    if operation.is_form {
        let bytes = read_bytes(limits, most, headers, body, place).await?;
        return Ok(Content::Form(form::read(headers, bytes).await?));
    }
    let bytes = if most == 0 {
        Bytes::new()
    } else {
        read_bytes(limits, most, headers, body, place).await?
    };
    Ok(Content::Bytes(bytes, is_json(headers)))
}

/// Returns the JSON of a body, or `None` if there is no body, or one that may be ignored.
pub(crate) fn json_of(operation: &Operation, bytes: &[u8], is_json: bool) -> Result<Option<Value>, ApiError> {
    if bytes.is_empty() {
        let is_required = |expected: &forge_contract::Body| expected.is_required;
        if operation.body.as_ref().is_some_and(is_required) {
            return Err(ApiError::invalid("body", "missing", "a JSON body is required"));
        }
        return Ok(None);
    }
    match parse(bytes, is_json) {
        Ok(value) => Ok(Some(value)),
        Err(_) if operation.ignores_other_bodies() && !mentions_terms(&String::from_utf8_lossy(bytes)) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn parse(bytes: &[u8], is_json: bool) -> Result<Value, ApiError> {
    if !is_json {
        let msg = "the body must be JSON, with the header `Content-Type: application/json`";
        return Err(ApiError::invalid("body", "content_type", msg));
    }
    json::parse(bytes).map_err(|fault| ApiError::Invalid(vec![fault]))
}

/// Reads a body of at most so many bytes.
async fn read_bytes(
    limits: &Limits,
    most: usize,
    headers: &HeaderMap,
    mut body: Body,
    place: &mut Growing,
) -> Result<Bytes, ApiError> {
    let is_packed = |coding: &HeaderValue| !coding.as_bytes().eq_ignore_ascii_case(b"identity");
    if headers.get_all(header::CONTENT_ENCODING).iter().any(is_packed) {
        return Err(ApiError::PackedBody);
    }
    // Known before anything of it has come: whoever asks whether to go on is told not to.
    if body.size_hint().lower() > most as u64 {
        return Err(ApiError::BodyTooLarge { limit: most });
    }
    let reading = async {
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let early = "the body ended too early; send it again";
            let frame = frame.map_err(|_| ApiError::invalid("body", "body_incomplete", early))?;
            let Some(data) = frame.data_ref() else { continue };
            let size = bytes.len() + data.len();
            if size > most {
                return Err(ApiError::BodyTooLarge { limit: most });
            }
            place.grow_to(size)?;
            bytes.extend_from_slice(data);
        }
        Ok(bytes.into())
    };
    let slow = |_| ApiError::BodyTooSlow {
        limit: limits.body_timeout.as_secs(),
    };
    tokio::time::timeout(limits.body_timeout, reading)
        .await
        .map_err(slow)?
}
