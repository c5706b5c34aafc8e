//! Which part of a list is read.

use forge_domain::VersionNumber;

/// A part of a list: what comes after a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest<P = i64> {
    /// The place before the part; 0 is the start of a list.
    pub after: P,
    /// How many rows it has at most.
    pub limit: i64,
}

impl PageRequest {
    /// Requests what a list begins with.
    pub fn first(limit: i64) -> Self {
        Self { after: 0, limit }
    }

    /// Returns the number below which a descending list goes on: the start of the list is below every number.
    pub(crate) fn descending_from(self) -> i64 {
        if self.after == 0 { i64::MAX } else { self.after }
    }
}

/// The versions from one number to another, in an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionBounds {
    /// The first number.
    pub lower: VersionNumber,
    /// The last number.
    pub upper: VersionNumber,
    /// Whether the last one comes first.
    pub is_descending: bool,
}
