//! What a call saw of others' writes before they were durable.
//!
//! A writer of SQLite sees what those before it in its group wrote. Whatever it decides from that, a refusal or that
//! there is nothing to do, is only true once the group's commit has succeeded.
//!
//! And whoever reads sees what the database shows at the moment of a commit, before this process knows that it has
//! succeeded. Their answer waits for that too, so that nobody is told of a change that the server's memory, asked next,
//! does not know.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::error::StoreError;
use crate::watermarks::Watermarks;

/// What becomes of a group's commit; nothing as long as nobody knows.
#[derive(Debug, Clone)]
pub(crate) struct CommitOutcome(pub(crate) watch::Receiver<Option<Result<(), StoreError>>>);

impl CommitOutcome {
    /// Waits for the commit.
    pub(crate) async fn wait(mut self) -> Result<(), StoreError> {
        match self.0.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().unwrap_or(Ok(())),
            // The writer's task is gone, and perhaps with a commit under way.
            Err(_) => Err(StoreError::OutcomeUnknown(Arc::new(sqlx::Error::WorkerCrashed))),
        }
    }

    fn error(&self) -> Option<StoreError> {
        self.0.borrow().clone()?.err()
    }
}

/// The outcomes that the answers of a call depend on.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadDependencies(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Of the last group that the call was in. Groups follow each other, so those before it have ended.
    last: Option<CommitOutcome>,
    /// Whether the call has read the database otherwise.
    has_read: bool,
    failed: Option<StoreError>,
}

impl ReadDependencies {
    pub(crate) fn note(&self, outcome: &CommitOutcome) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = state.last.replace(outcome.clone()).and_then(|last| last.error()) {
            state.failed = Some(error);
        }
    }

    pub(crate) fn note_read(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).has_read = true;
    }

    /// Waits until everything that was seen is durable and the watermarks tell of it.
    pub(crate) async fn wait(&self, watermarks: &Watermarks) -> Result<(), StoreError> {
        let State {
            last,
            has_read,
            failed,
        } = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if has_read {
            watermarks.wait_for_commits().await;
        }
        let waited = match last {
            Some(outcome) => outcome.wait().await,
            None => Ok(()),
        };
        match failed.map_or(waited, Err) {
            Err(StoreError::Refused(cause) | StoreError::Duplicate(cause)) => {
                Err(StoreError::Unavailable(cause))
            }
            other => other,
        }
    }
}
