//! Whether the database answers.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use forge_domain::Timestamp;

/// How the database was when somebody looked last.
#[derive(Debug, Default)]
pub(super) struct Database {
    is_away: AtomicBool,
    /// When it last answered; milliseconds since the epoch.
    answered_at: AtomicI64,
}

impl Database {
    /// Returns `true` if it did not answer when it was asked last.
    pub(super) fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }

    /// Notes that it answered.
    pub(super) fn answered(&self, now: Timestamp) {
        self.answered_at.store(now.as_millis(), Ordering::Relaxed);
        self.is_away.store(false, Ordering::Relaxed);
    }

    /// Notes that it did not answer.
    pub(super) fn failed(&self) {
        if !self.is_away.swap(true, Ordering::Relaxed) {
            tracing::warn!("the database is away; what is in memory goes on being answered");
        }
    }

    /// Returns for how long it has not answered, or `None` if it is not away.
    pub(super) fn stale_for(&self, now: Timestamp) -> Option<Duration> {
        if !self.is_away() {
            return None;
        }
        let since = Timestamp::from_millis(self.answered_at.load(Ordering::Relaxed));
        Some(now.since(since))
    }
}
