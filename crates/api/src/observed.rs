//! What is told of every request, whatever it asks: its id, and a line in the log.
//!
//! Neither path nor query nor headers nor bodies are logged: any of them may hold secrets or personal data.

use std::cell::Cell;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Instant;

use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use axum::response::Response;
use tracing::Span;

use crate::route::Route;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken over from a client.
const MAX_REQUEST_ID: usize = 64;

/// A request as the log knows it.
#[derive(Debug)]
pub(crate) struct Observed {
    id: HeaderValue,
    method: Method,
    started: Instant,
}

impl Observed {
    /// Begins to observe a request: it keeps its own id if it brings a sensible one.
    pub(crate) fn new<B>(request: &Request<B>) -> Self {
        let id = request.headers().get(REQUEST_ID).filter(|id| is_sensible(id));
        Self {
            id: id.cloned().unwrap_or_else(new_id),
            method: request.method().clone(),
            started: Instant::now(),
        }
    }

    /// Returns the span of what is done for the request.
    ///
    /// For what is asked thousands of times a second it is one of debugging: nothing is logged of it unless it fails.
    pub(crate) fn span(&self, route: Option<&Route>) -> Span {
        if route.is_some_and(|route| route.is_frequent) {
            tracing::debug_span!(
                "request",
                id = self.id.to_str().unwrap_or_default(),
                method = %self.method,
                operation = route.map(|route| route.operation.id.as_str()),
            )
        } else {
            self.full_span(route)
        }
    }

    fn full_span(&self, route: Option<&Route>) -> Span {
        tracing::info_span!(
            "request",
            id = self.id.to_str().unwrap_or_default(),
            method = %self.method,
            operation = route.map(|route| route.operation.id.as_str()),
        )
    }

    /// Makes the answer within the span of the request, and logs a line about it.
    ///
    /// What is frequent and fails has no span yet, but what is logged of the failure belongs to one.
    pub(crate) fn finish<T>(
        &self,
        route: Option<&Route>,
        span: Span,
        outcome: Result<Response, T>,
        fail: impl FnOnce(T) -> Response,
    ) -> Response {
        let is_usual = route.is_some_and(|route| route.is_frequent)
            && outcome.as_ref().is_ok_and(|response| is_usual(response.status()));
        let span = if span.is_disabled() && !is_usual {
            self.full_span(route)
        } else {
            span
        };
        span.in_scope(|| {
            let response = outcome.unwrap_or_else(fail);
            self.log(is_usual, &response);
            response
        })
    }

    /// Logs a line about the answer.
    fn log(&self, is_usual: bool, response: &Response) {
        let status = response.status().as_u16();
        // To the microsecond: more digits would tell nothing.
        let milliseconds = || (self.started.elapsed().as_secs_f64() * 1e6).round() / 1000.0;
        if is_usual {
            tracing::debug!(status, milliseconds = milliseconds(), "answered");
        } else {
            tracing::info!(status, milliseconds = milliseconds(), "answered");
        }
    }

    /// Tells the client the id.
    pub(crate) fn tag(self, response: &mut Response) {
        response.headers_mut().insert(REQUEST_ID, self.id);
    }
}

/// Returns `true` if what is frequent is logged, too.
pub(crate) fn logs_all() -> bool {
    tracing::enabled!(tracing::Level::DEBUG)
}

fn is_usual(status: StatusCode) -> bool {
    status.is_success() || status == StatusCode::NOT_MODIFIED
}

fn is_sensible(id: &HeaderValue) -> bool {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
    !id.is_empty() && id.len() <= MAX_REQUEST_ID && id.as_bytes().iter().all(plain)
}

/// Returns an id that no other request has, as far as chance allows. It is no secret.
fn new_id() -> HeaderValue {
    thread_local! {
        /// Random keys, and how many ids the thread has made by them.
        static IDS: (RandomState, Cell<u64>) = (RandomState::new(), Cell::new(0));
    }
    let number = IDS.with(|ids| {
        let (keys, made) = ids;
        made.set(made.get().wrapping_add(1));
        keys.hash_one(made.get())
    });
    HeaderValue::try_from(forge_domain::hex(&number.to_be_bytes()))
        .unwrap_or(HeaderValue::from_static("none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_requests_differ_also_between_threads() {
        let of_a_thread = || (0..1000).map(|_| new_id()).collect::<Vec<_>>();
        let mut ids: Vec<HeaderValue> = (0..4)
            .map(|_| std::thread::spawn(of_a_thread))
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        ids.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
        ids.dedup();
        assert_eq!(ids.len(), 4000);
        assert!(ids.iter().all(|id| id.len() == 16));
    }
}
