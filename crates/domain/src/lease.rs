//! Leases: whoever holds something says until when; if they are gone by then, it is anybody's.
//!
//! Clocks are set, and those of several servers differ. So a lease that ends later than any lease can was written while a
//! clock was ahead, and is none: otherwise it would hold until that time has come.

use std::time::Duration;

use crate::time::Timestamp;

/// How far ahead a lease may end: longer than any is for, and some minutes by which clocks may differ.
const MOST: Duration = Duration::from_mins(5);

/// Returns the latest time at which a lease that holds now may end.
pub fn latest_end(now: Timestamp) -> Timestamp {
    now + MOST
}

/// The time for which something is leased, from the moment at which the lease is acquired or renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// When the lease is acquired or renewed.
    pub now: Timestamp,
    /// When it ends, unless it is renewed.
    pub until: Timestamp,
}

impl Term {
    /// Creates a term that begins now.
    pub fn new(now: Timestamp, duration: Duration) -> Self {
        Self {
            now,
            until: now + duration,
        }
    }
}

/// Returns `true` if a lease holds.
pub fn holds(until: Timestamp, now: Timestamp) -> bool {
    now < until && until <= latest_end(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_holds_until_it_ends_unless_it_ends_later_than_any_can() {
        let now = Timestamp::from_millis(1_000_000);
        for (seconds, expected) in [
            (-1, false),
            (0, false),
            (1, true),
            (300, true),
            (301, false),
            (3600, false),
        ] {
            assert_eq!(holds(now.plus_seconds(seconds), now), expected, "{seconds}");
        }
    }
}
