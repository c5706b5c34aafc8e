//! What took too long.

/// Something took longer than it may.
#[derive(Debug, thiserror::Error)]
#[error("operation timed out")]
pub(crate) struct Late;
