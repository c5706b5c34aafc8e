//! What goes wrong, as HTTP says it. Status codes are decided here and nowhere else.

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use forge_app::{AppError, RuntimeError};
use forge_contract::{Operation, Parameter};
use forge_domain::fault::{Fault, Faults, Step};
use forge_domain::plan::Plans;
use forge_domain::visible;
use serde_json::{Value, json};

use crate::views::{set_instance, yank_instance};

/// How large the body of a failure is at most, in bytes: what a caller sends must not make them get much more back.
const MOST_BYTES: usize = 64 * 1024;

/// How many characters of a failure's text are told at most.
const MOST_TEXT: usize = 8 * 1024;

/// What may be left out of a failure's body, because the caller can ask for it in another way.
const DISPENSABLE: [&str; 3] = ["plan", "plans", "version_set"];

/// How long a client waits before it tries an unavailable server again, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Why a request was not answered as asked.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The use case, or what comes before it, says why.
    App(AppError),
    /// The request is not well-formed; says where and why.
    Invalid(Vec<Fault>),
    /// The body is larger than the server admits.
    BodyTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The body is compressed, or packed in another way that is not understood.
    PackedBody,
    /// The head of the request can be understood in several ways, or lacks what it needs.
    BadHead {
        /// What is wrong with it.
        reason: String,
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
    /// Too much of what is sent is held in memory.
    TooMuchHeld {
        /// Whether it is the caller, or the caller's organization, who holds it.
        is_own: bool,
    },
    /// The caller, or the caller's organization, reads so much that there was no place for more in time.
    TooManyReads,
    /// The caller, or the caller's organization, follows changes with too many streams already.
    TooManyStreams,
    /// No operation has this path.
    UnknownPath,
    /// The path has operations, but none with this method.
    MethodNotAllowed,
    /// An endpoint panicked.
    Panicked,
}

impl ApiError {
    /// Returns the error with its faults where the requests of an operation have them: a use case knows its parameters
    /// by their names only.
    pub(crate) fn placed(self, operation: &Operation) -> Self {
        match self {
            Self::App(AppError::Invalid(faults)) => {
                let faults = faults.into_iter().map(|fault| placed(fault, operation));
                Self::Invalid(faults.collect())
            }
            other => other,
        }
    }

    /// Builds the error for a part of the request that is no valid value.
    pub(crate) fn invalid(place: &str, kind: &'static str, msg: &str) -> Self {
        Self::Invalid(vec![Fault::new(vec![place.into()], kind, msg)])
    }
}

/// Returns a fault where an operation's requests have the parameter that its first step names: what is no parameter is
/// a field of the body.
fn placed(mut fault: Fault, operation: &Operation) -> Fault {
    let Some(Step::Field(name)) = fault.loc.first_mut() else {
        return fault.inside("body");
    };
    // Headers are written in their own way.
    let is_named = |parameter: &&Parameter| parameter.name.to_lowercase().replace('-', "_") == *name;
    let Some(parameter) = operation.parameters.iter().find(is_named) else {
        return fault.inside("body");
    };
    name.clone_from(&parameter.name);
    fault.inside(parameter.location.as_str())
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
            Self::Invalid(faults) => (StatusCode::UNPROCESSABLE_ENTITY, with_faults(faults)),
            Self::BodyTooLarge { limit } => (
                StatusCode::PAYLOAD_TOO_LARGE,
                detail(format!("the body has more than {limit} bytes")),
            ),
            Self::PackedBody => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                detail("the body has a `Content-Encoding`; send it as it is"),
            ),
            Self::BadHead { reason } => (StatusCode::BAD_REQUEST, detail(reason)),
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
            Self::TooMuchHeld { is_own } => {
                let who = if is_own {
                    "you, or others of your organization, send"
                } else {
                    "others send"
                };
                let text = format!("{who} and are sent too many large bodies at once; try again in a moment");
                (StatusCode::SERVICE_UNAVAILABLE, detail(text))
            }
            Self::TooManyReads => (
                StatusCode::SERVICE_UNAVAILABLE,
                detail("you, or others of your organization, read too much at once; try again in a moment"),
            ),
            Self::TooManyStreams => (
                StatusCode::SERVICE_UNAVAILABLE,
                detail(
                    "you, or others of your organization, follow changes with too many streams at once; end some of them",
                ),
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
        let mut response = (status, axum::Json(bounded(body))).into_response();
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
        AppError::Invalid(faults) => (StatusCode::UNPROCESSABLE_ENTITY, with_faults(faults)),
        AppError::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, detail(error)),
        AppError::Maintenance | AppError::Behind { .. } => (StatusCode::SERVICE_UNAVAILABLE, detail(error)),
        AppError::Forbidden(_) | AppError::InsufficientRole(_) => (StatusCode::FORBIDDEN, detail(error)),
        AppError::NotFound(_) => (StatusCode::NOT_FOUND, detail(error)),
        AppError::Gone { message, revision } => (
            StatusCode::GONE,
            json!({"detail": visible(&message), "revision": revision}),
        ),
        AppError::Refused(_) => (StatusCode::BAD_REQUEST, detail(error)),
        AppError::Conflict(_) => (StatusCode::CONFLICT, detail(error)),
        // The same again would be refused, or cut off, again: whoever repeats it pays for nothing.
        AppError::Runtime(ref reason @ (RuntimeError::Refused { .. } | RuntimeError::CutOff { .. })) => {
            tracing::warn!(%reason, "an interaction failed");
            (StatusCode::BAD_REQUEST, detail(error))
        }
        AppError::Runtime(ref reason @ RuntimeError::Setup { .. }) => {
            tracing::error!(%reason, "a provider does not accept this server's calls");
            (StatusCode::SERVICE_UNAVAILABLE, detail(error))
        }
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
            let set = view.map(|view| set_instance(*view));
            (
                StatusCode::PRECONDITION_FAILED,
                json!({"detail": visible(&text), "version_set": set}),
            )
        }
        AppError::YankMoved(yank) => {
            let text = AppError::YankMoved(yank.clone()).to_string();
            let yanked = yank.map(|yank| yank_instance(*yank));
            (
                StatusCode::PRECONDITION_FAILED,
                json!({"detail": visible(&text), "yanked": yanked}),
            )
        }
        AppError::NotReady(reason) => {
            tracing::warn!(%reason, "the server is not ready");
            (StatusCode::SERVICE_UNAVAILABLE, detail(error))
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
    let body = bounded(body);
    let text = match &body["detail"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    (status.as_u16(), text)
}

/// Tells what stands against a change together with its plan, or the plans of several changes.
fn with_plans(error: &AppError, plans: &Plans) -> Value {
    let text = error.to_string();
    let detail = visible(&text);
    match plans {
        Plans::One(plan) => json!({"detail": detail, "plan": plan}),
        Plans::Service(plan) => json!({"detail": detail, "plan": plan}),
        Plans::Many(all) => json!({"detail": detail, "plans": all, "digest": plans.digest()}),
    }
}

/// Returns the body of a failure, cut to what is told at most.
fn bounded(mut body: Value) -> Value {
    if let Value::String(text) = &mut body["detail"]
        && let Some((end, _)) = text.char_indices().nth(MOST_TEXT)
    {
        text.truncate(end);
        text.push('…');
    }
    let is_dispensable = DISPENSABLE.iter().any(|name| body.get(name).is_some());
    if is_dispensable
        && body.to_string().len() > MOST_BYTES
        && let Value::Object(fields) = &mut body
    {
        fields.retain(|name, _| !DISPENSABLE.contains(&name.as_str()));
        if let Some(Value::String(text)) = fields.get_mut("detail") {
            text.push_str(
                "; the rest is too large to be told here: read the set, or ask for the plan with `dry_run`",
            );
        }
    }
    body
}

/// Returns the body that tells of faults, as many as are told at most.
fn with_faults(faults: Vec<Fault>) -> Value {
    let mut told = Faults::default();
    told.extend(faults);
    let mut told = told.into_vec();
    for fault in &mut told {
        if let Cow::Owned(shown) = visible(&fault.msg) {
            fault.msg = shown;
        }
    }
    loop {
        let body = json!({"detail": told});
        if told.len() <= 2 || body.to_string().len() <= MOST_BYTES {
            return body;
        }
        told.truncate(told.len() / 2);
        told.push(Fault::of_more(told.len()));
    }
}

/// Returns the body of an error.
///
/// Whatever names and messages of others it quotes, its reader sees all of it.
fn detail(text: impl ToString) -> Value {
    json!({"detail": visible(&text.to_string())})
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

#[cfg(test)]
mod tests {
    use super::*;

    fn body(error: ApiError) -> Value {
        let (_, body) = match error {
            ApiError::App(error) => app_error(error),
            other => panic!("{other:?}"),
        };
        bounded(body)
    }

    #[test]
    fn no_failure_is_told_at_greater_length_than_64_kib() {
        let wide = "\u{1}".repeat(5000);
        let fault = |number: usize| {
            let loc = vec![
                "body".into(),
                wide.as_str().into(),
                wide.as_str().into(),
                number.into(),
            ];
            Fault::new(loc, "type", wide.clone())
        };
        let errors = [
            AppError::Invalid((0..1000).map(fault).collect()),
            AppError::Refused(wide.repeat(1000)),
            AppError::NotFound("𝒳".repeat(1_000_000)),
        ];
        for error in errors {
            let body = body(error.into());
            assert!(body.to_string().len() <= MOST_BYTES, "{}", body.to_string().len());
            let text = body["detail"].as_str().or(body["detail"][0]["msg"].as_str());
            assert!(text.is_some_and(|text| !text.is_empty()));
        }
        assert_eq!(
            body(AppError::Refused("why".to_owned()).into()),
            json!({"detail": "why"})
        );
    }

    #[test]
    fn what_can_be_asked_for_is_left_out_of_a_failure_that_is_too_large() {
        let plan = json!({"detail": "blocked", "plan": {"changes": ["x".repeat(MOST_BYTES)]}, "digest": "d"});
        let told = bounded(plan);
        assert!(told.get("plan").is_none() && told["digest"] == "d");
        assert!(
            told["detail"]
                .as_str()
                .unwrap()
                .starts_with("blocked; the rest is too large")
        );
        let small = json!({"detail": "blocked", "plan": {"changes": []}});
        assert_eq!(bounded(small.clone()), small);
    }
}
