//! What goes wrong, as HTTP says it. Status codes are decided here and nowhere else.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use forge_app::promotion::Plans;
use forge_app::{AppError, RuntimeError};
use serde_json::{Value, json};

use crate::routes::version_sets;

/// How long a client waits before it tries an unavailable server again, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Why a request was not answered as asked.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The use case, or what comes before it, says why.
    App(AppError),
    /// The body is larger than the server admits.
    BodyTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The body took longer to arrive than the server admits.
    BodyTooSlow {
        /// The limit, in seconds.
        limit: u64,
    },
    /// The headers are more, or larger, than the server admits.
    HeadersTooLarge {
        /// What is admitted.
        admitted: String,
    },
    /// The caller has called too often; the headers of the answer say how long to wait.
    TooManyRequests,
    /// No operation has this path.
    UnknownPath,
    /// The path has operations, but none with this method.
    MethodNotAllowed,
    /// An endpoint panicked.
    Panicked,
}

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        Self::App(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, body) = match self {
            Self::App(error) => app_error(error),
            Self::BodyTooLarge { limit } => (
                StatusCode::PAYLOAD_TOO_LARGE,
                detail(format!("the body has more than {limit} bytes")),
            ),
            Self::BodyTooSlow { limit } => {
                let text = format!("the body took more than {limit} seconds to arrive; send it again");
                (StatusCode::REQUEST_TIMEOUT, detail(text))
            }
            Self::HeadersTooLarge { admitted } => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                detail(format!(
                    "the request has too many or too large headers; admitted are {admitted}"
                )),
            ),
            Self::TooManyRequests => (
                StatusCode::TOO_MANY_REQUESTS,
                detail("you call this too often; the header Retry-After says when to try again"),
            ),
            Self::UnknownPath => (
                StatusCode::NOT_FOUND,
                detail("there is no such path; see /v1/openapi.json"),
            ),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                detail("this path does not know this method; see /v1/openapi.json"),
            ),
            Self::Panicked => (StatusCode::INTERNAL_SERVER_ERROR, internal()),
        };
        let mut response = (status, axum::Json(body)).into_response();
        match status {
            StatusCode::UNAUTHORIZED => {
                response
                    .headers_mut()
                    .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
            }
            _ => {}
        }
        response
    }
}

fn app_error(error: AppError) -> (StatusCode, Value) {
    match error {
        AppError::Invalid(faults) => (StatusCode::UNPROCESSABLE_ENTITY, json!({"detail": faults})),
        AppError::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, detail(error)),
        AppError::Maintenance | AppError::Behind { .. } => (StatusCode::SERVICE_UNAVAILABLE, detail(error)),
        AppError::Forbidden(_) | AppError::TooLittle(_) => (StatusCode::FORBIDDEN, detail(error)),
        AppError::NotFound(_) => (StatusCode::NOT_FOUND, detail(error)),
        AppError::Gone { message, revision } => {
            (StatusCode::GONE, json!({"detail": message, "revision": revision}))
        }
        AppError::Refused(_) => (StatusCode::BAD_REQUEST, detail(error)),
        AppError::Conflict(_) => (StatusCode::CONFLICT, detail(error)),
        // The contract has no better word for a model that does not answer, or not as it should.
        AppError::Runtime(RuntimeError::Graph(ref reason)) => {
            tracing::error!(reason, "a conversation cannot go on");
            (StatusCode::INTERNAL_SERVER_ERROR, detail(error))
        }
        AppError::Runtime(ref reason) => {
            tracing::warn!(%reason, "an interaction failed");
            (StatusCode::SERVICE_UNAVAILABLE, detail(error))
        }
        AppError::Abandoned => (StatusCode::REQUEST_TIMEOUT, detail(error)),
        AppError::Blocked(ref plans) => (StatusCode::BAD_REQUEST, with_plans(&error, plans)),
        AppError::PlanMoved(ref plans) => (StatusCode::CONFLICT, with_plans(&error, plans)),
        AppError::PreconditionFailed(view) => {
            let text = AppError::PreconditionFailed(view.clone()).to_string();
            let set = view.map(|view| version_sets::instance(*view));
            (
                StatusCode::PRECONDITION_FAILED,
                json!({"detail": text, "version_set": set}),
            )
        }
        AppError::Unavailable(ref cause) | AppError::OutcomeUnknown(ref cause) => {
            tracing::error!(cause = causes(cause), "the database is unavailable");
            (StatusCode::SERVICE_UNAVAILABLE, detail(error))
        }
        AppError::Internal(ref cause) => {
            tracing::error!(cause = causes(cause.as_ref()), "internal error");
            (StatusCode::INTERNAL_SERVER_ERROR, internal())
        }
    }
}

/// Returns what an event tells of an error that happened after the answer had begun.
pub(crate) fn told(error: AppError) -> (u16, String) {
    let (status, body) = app_error(error);
    let text = match &body["detail"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    (status.as_u16(), text)
}

/// Tells what stands against a change together with its plan, or the plans of several changes.
fn with_plans(error: &AppError, plans: &Plans) -> Value {
    let detail = error.to_string();
    match plans {
        Plans::One(plan) => json!({"detail": detail, "plan": plan}),
        Plans::Service(plan) => json!({"detail": detail, "plan": plan}),
        Plans::Many(all) => json!({"detail": detail, "plans": all, "digest": plans.digest()}),
    }
}

fn detail(text: impl ToString) -> Value {
    json!({"detail": text.to_string()})
}

/// What a client is told of a fault of ours: nothing but where to look.
fn internal() -> Value {
    detail("internal error; the server's log has it under the id in the header X-Request-Id")
}

/// Returns an error and everything that caused it, as one line.
pub(crate) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
