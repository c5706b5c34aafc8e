//! The order of a list.

/// Something that a list is sorted by, and in which direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort<K> {
    /// What its rows are compared by.
    pub key: K,
    /// Which end comes first.
    pub direction: Direction,
}

/// Which end of a list comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The least value.
    Ascending,
    /// The greatest value.
    Descending,
}

impl<K> Sort<K> {
    /// Returns the same direction of another key.
    pub fn map<L>(self, key: impl FnOnce(K) -> L) -> Sort<L> {
        self.direction.of(key(self.key))
    }
}

impl Direction {
    /// Returns the order by a key in this direction.
    pub const fn of<K>(self, key: K) -> Sort<K> {
        Sort { key, direction: self }
    }

    /// Returns `true` if the greatest value comes first.
    pub const fn is_descending(self) -> bool {
        matches!(self, Self::Descending)
    }
}
