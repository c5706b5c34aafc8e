//! Ids of nothing.

/// An id that nothing has.
pub(crate) const UNKNOWN_ID: &str = "0123456789abcdef01234567";
