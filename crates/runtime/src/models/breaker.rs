//! Leaves a model of a provider alone that keeps failing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How many failures in a row are enough.
const FAILURES: u32 = 5;
/// How long it is left alone then; afterwards one call finds out.
const PAUSE: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    opened_at: Option<Instant>,
    is_probing: bool,
}

/// Counts the failures of a model.
#[derive(Debug, Clone, Default)]
pub(super) struct Breaker(Arc<Mutex<State>>);

/// The leave to make one call.
///
/// Whoever drops it unused says nothing about the model.
#[derive(Debug)]
pub(super) struct Permit {
    breaker: Breaker,
    is_probe: bool,
}

impl Breaker {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the leave to call the model, unless it is left alone.
    pub(super) fn permit(&self) -> Option<Permit> {
        let mut state = self.lock();
        let is_probe = match state.opened_at {
            None => false,
            Some(opened_at) if opened_at.elapsed() >= PAUSE && !state.is_probing => {
                state.is_probing = true;
                true
            }
            Some(_) => return None,
        };
        Some(Permit {
            breaker: self.clone(),
            is_probe,
        })
    }
}

impl Permit {
    /// The provider answered.
    pub(super) fn succeeded(self) {
        let mut state = self.breaker.lock();
        state.failures = 0;
        state.opened_at = None;
    }

    /// It did not.
    pub(super) fn failed(self) {
        let mut state = self.breaker.lock();
        state.failures += 1;
        if state.failures >= FAILURES {
            state.opened_at = Some(Instant::now());
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.is_probe {
            self.breaker.lock().is_probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened() -> Breaker {
        let breaker = Breaker::default();
        for _ in 0..FAILURES {
            breaker.permit().unwrap().failed();
        }
        breaker
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_keeps_failing_is_left_alone_for_a_while() {
        let breaker = opened();
        assert!(breaker.permit().is_none());
        tokio::time::advance(PAUSE).await;
        let probe = breaker.permit().unwrap();
        assert!(breaker.permit().is_none(), "one call finds out");
        probe.failed();
        assert!(breaker.permit().is_none());
        tokio::time::advance(PAUSE).await;
        breaker.permit().unwrap().succeeded();
        assert!(breaker.permit().is_some() && breaker.permit().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_was_given_up_lets_another_one_through() {
        let breaker = opened();
        tokio::time::advance(PAUSE).await;
        drop(breaker.permit().unwrap());
        assert!(breaker.permit().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn only_failures_in_a_row_count() {
        let breaker = Breaker::default();
        for _ in 0..FAILURES - 1 {
            breaker.permit().unwrap().failed();
        }
        breaker.permit().unwrap().succeeded();
        breaker.permit().unwrap().failed();
        assert!(breaker.permit().is_some());
    }
}
