//! Calls that may be repeated: what was answered first is answered again, and done once.

use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use forge_app::{App, AppError, Caller};
use forge_domain::fault::Fault;
use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};

use crate::call::ValidRequest;
use crate::caller::identity;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::headers::IDEMPOTENCY_KEY;
use crate::kept_answers::MOST_OF_ONE;
use crate::reply::Answer;

/// An answer as it is remembered.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Answers a call: as it was answered first, if it was made before under the same key, else by its endpoint.
pub(crate) async fn answer(mut request: ValidRequest, endpoint: &Endpoint) -> Answer {
    let named = request.idempotency_key.take().zip(request.caller.as_ref());
    let Some((key, caller)) = named else {
        return endpoint.answer(request).await;
    };
    let caller = caller.clone();
    let app = request.server.app.for_named_call(&caller, key);
    if let Some(first) = app.recall(&caller).await? {
        return restored(&first);
    }
    let answers = request.server.answers.clone();
    let holder = identity(&caller);
    if !answers.has_place(&holder, app.clock.now()) {
        return Err(too_much_is_kept());
    }
    request.server.app = app.clone();
    let response = endpoint
        .answer(request)
        .await
        .unwrap_or_else(ApiError::into_response);
    let (answer, kept) = finish(&app, &caller, response).await?;
    if kept > 0 {
        answers.add(&holder, kept, app.clock.now());
    }
    Ok(answer)
}

fn too_much_is_kept() -> ApiError {
    let loc = vec!["header".into(), IDEMPOTENCY_KEY.into()];
    let msg = "what is remembered of your calls under keys is too much to add to it; what was answered first is forgotten \
               after a day, until then call without a key";
    ApiError::Invalid(vec![Fault::new(loc, "too_many_answers", msg)])
}

/// Ends a call under a key.
///
/// Kept is what will not be otherwise if the call is made again: that it was done, or that a rule refuses it. What
/// failed for another reason may be tried again under the same key.
///
/// Returns the answer, and how many bytes of it are remembered now.
async fn finish(app: &App, caller: &Caller, response: Response) -> Result<(Response, usize), ApiError> {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes);
    let body = body.map_err(|error| AppError::Internal(Box::new(error)))?;
    let is_kept = parts.status.is_success() || parts.status == StatusCode::BAD_REQUEST;
    if is_kept && body.len() > MOST_OF_ONE {
        // An answer is remembered whole or not at all; without it nothing may have been done.
        app.finish_call(caller, None).await?;
        let loc = vec!["header".into(), IDEMPOTENCY_KEY.into()];
        let msg = format!(
            "the answer has more than {MOST_OF_ONE} bytes and cannot be remembered, so nothing was done; call without a key"
        );
        return Err(ApiError::Invalid(vec![Fault::new(loc, "too_long", msg)]));
    }
    let kept = if is_kept {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = parts.headers.iter();
        let kept = Kept {
            status: parts.status.as_u16(),
            headers: headers
                .map(|(name, value)| (name.to_string(), text(value)))
                .collect(),
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        Some(serde_json::to_vec(&kept).map_err(|error| AppError::Internal(Box::new(error)))?)
    } else {
        None
    };
    let size = kept.as_ref().map_or(0, Vec::len);
    match app.finish_call(caller, kept.as_deref()).await? {
        Some(first) => Ok((restored(&first)?, 0)),
        None => Ok((Response::from_parts(parts, body.into()), size)),
    }
}

fn restored(kept: &[u8]) -> Answer {
    let internal = |error: Box<dyn std::error::Error + Send + Sync>| AppError::Internal(error);
    let kept: Kept = serde_json::from_slice(kept).map_err(|error| internal(error.into()))?;
    let status = StatusCode::from_u16(kept.status).map_err(|error| internal(error.into()))?;
    let mut response = (status, Bytes::from(kept.body)).into_response();
    response.headers_mut().clear();
    for (name, value) in kept.headers {
        let name: HeaderName = name.parse().map_err(|error| internal(Box::new(error)))?;
        let value = HeaderValue::from_str(&value).map_err(|error| internal(error.into()))?;
        response.headers_mut().append(name, value);
    }
    Ok(response)
}
