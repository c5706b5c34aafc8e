//! What became of the steps.

use std::collections::BTreeSet;

use forge_client::ClientError;

use super::work::StepId;

/// Which steps were done.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) done: BTreeSet<StepId>,
    /// The one that nobody knows of: its answer was lost.
    pub(super) unknown: Option<StepId>,
}

impl Outcome {
    /// Notes what became of a step that was sent.
    pub(super) fn note<T>(&mut self, step: StepId, sent: Result<T, ClientError>) -> Result<T, ClientError> {
        match &sent {
            Ok(_) => {
                self.done.insert(step);
            }
            Err(error) if error.is_outcome_unknown() || matches!(error, ClientError::BrokenOff { .. }) => {
                self.unknown = Some(step);
            }
            Err(_) => {}
        }
        sent
    }
}
