//! One call of one model, and how it is repeated.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::timeout;

use super::Script;
use super::breaker::Breaker;
use super::hosted::Hosted;
use super::request::{Answer, Failure, FailureKind, Pieces, Request, too_long};
use crate::Limits;
use crate::thought::Mark;

/// Somebody who serves models.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) name: String,
    pub(super) backend: Backend,
    /// What thoughts of its models begin with, where it puts that into the prompt and does not send it.
    pub(super) swallowed_mark: Option<Mark>,
}

#[derive(Debug)]
pub(super) enum Backend {
    Hosted(Hosted),
    Scripted(Script),
}

/// A model at its provider.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) provider: Arc<Provider>,
    /// The provider's own name of the model.
    pub(super) model: Arc<str>,
    /// Of this model alone: a provider that has no time for one may well serve another.
    pub(super) breaker: Breaker,
}

impl Provider {
    pub(super) fn is_scripted(&self) -> bool {
        matches!(self.backend, Backend::Scripted(_))
    }
}

impl Route {
    /// Calls the model once.
    pub(super) async fn call(
        &self,
        request: &Request<'_>,
        params: &Map<String, Value>,
        attempt: u32,
        limits: &Limits,
        pieces: Option<&mut Pieces<'_>>,
    ) -> Result<Answer, Failure> {
        let hosted = match &self.provider.backend {
            Backend::Hosted(hosted) => hosted,
            // Whatever a script plays, there is nobody who could be spared.
            Backend::Scripted(script) => {
                let called = script.call(request, attempt, pieces);
                let called = timeout(limits.model_call_time, called).await;
                return called.unwrap_or_else(|_| Err(Failure::temporary(too_long(limits))));
            }
        };
        let Some(permit) = self.breaker.permit() else {
            let reason =
                "the provider failed with this model several times in a row and is left alone for a while";
            return Err(Failure::lasting(reason));
        };
        let result = hosted
            .call(&self.model, &request.prompt, params, limits, pieces)
            .await;
        match result.as_ref().map_err(|failure| failure.kind) {
            Err(FailureKind::Temporary) => permit.failed(),
            Err(FailureKind::Slow) => drop(permit),
            // It answered, if only to refuse.
            _ => permit.succeeded(),
        }
        result
    }
}

/// Returns how long to wait before a call is repeated for the `n`th time, from 1, or `None` if that is too long to
/// wait.
pub(super) fn pause_before(n: u32, failure: &Failure) -> Option<Duration> {
    const LONGEST: Duration = Duration::from_secs(10);
    let own = Duration::from_millis(250 << n.min(5));
    let pause = failure.retry_after_ms.map_or(own, Duration::from_millis);
    (pause <= LONGEST).then_some(pause)
}
