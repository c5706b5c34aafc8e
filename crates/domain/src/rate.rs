//! How often somebody may do something: so many times a minute, evenly filled up again.
//!
//! The rule is the generic cell rate algorithm: of each (caller, operation) it keeps one time, at which everything
//! allowed so far will have been worked off at the steady rate. Bursts up to the limit are allowed; what was used
//! comes back evenly, so no two windows can be played off against each other.

use crate::time::Timestamp;

/// A limit: so many times a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(u32);

/// What the rule says of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is allowed.
    pub is_allowed: bool,
    /// The time to keep: that of full recovery.
    pub recovered_at: Timestamp,
    /// How often it may be done again right now.
    pub remaining: u32,
    /// How long to wait until it may be done, in whole seconds, rounded up; 0 if it may.
    pub retry_after_seconds: i64,
}

const MINUTE: i64 = 60_000;

impl Limit {
    /// Creates a limit of so many times a minute, at least one.
    pub fn per_minute(times: u32) -> Self {
        Self(times.max(1))
    }

    /// Returns how many times a minute.
    pub fn times(self) -> u32 {
        self.0
    }

    /// Decides about an attempt at `now`, given the time that was kept; a caller who was not seen before has none.
    pub fn decide(self, kept: Option<Timestamp>, now: Timestamp) -> Decision {
        // In microseconds, so that the interval of a large limit is no fraction.
        let interval = MINUTE * 1000 / i64::from(self.0);
        let now_micros = now.as_millis() * 1000;
        // What is kept is never further ahead than a minute, unless the clock has been set back since.
        let possible = now_micros..=now_micros + MINUTE * 1000;
        let busy_until = kept.map_or(now_micros, |kept| {
            (kept.as_millis() * 1000).clamp(*possible.start(), *possible.end())
        });
        let next = busy_until + interval;
        let over = next - now_micros - MINUTE * 1000;
        // Times are kept in milliseconds, so an attempt may be off by less than one.
        if over >= 1000 {
            return Decision {
                is_allowed: false,
                recovered_at: Timestamp::from_millis(busy_until.div_euclid(1000)),
                remaining: 0,
                retry_after_seconds: over.div_euclid(1_000_000) + 1,
            };
        }
        let free = (MINUTE * 1000 - (next - now_micros) + 999).max(0) / interval;
        Decision {
            is_allowed: true,
            recovered_at: Timestamp::from_millis(next.div_euclid(1000)),
            remaining: u32::try_from(free).unwrap_or(0),
            retry_after_seconds: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns how many of the attempts, each so many milliseconds after the one before it, are allowed.
    fn allowed(limit: u32, gaps: &[i64]) -> Vec<i64> {
        let limit = Limit::per_minute(limit);
        let (mut kept, mut now, mut allowed) = (None, Timestamp::from_millis(1_000_000), Vec::new());
        for gap in gaps {
            now = Timestamp::from_millis(now.as_millis() + gap);
            let decision = limit.decide(kept, now);
            kept = Some(decision.recovered_at);
            if decision.is_allowed {
                allowed.push(now.as_millis());
            } else {
                assert!(decision.retry_after_seconds > 0);
                let later = now.plus_seconds(decision.retry_after_seconds);
                assert!(
                    limit.decide(kept, later).is_allowed,
                    "what it says to wait is enough"
                );
            }
        }
        allowed
    }

    #[test]
    fn a_burst_up_to_the_limit_is_allowed_and_comes_back_evenly() {
        assert_eq!(allowed(5, &[0; 8]).len(), 5);
        assert_eq!(allowed(5, &[0, 0, 0, 0, 0, 12_000, 0]).len(), 6);
        assert_eq!(allowed(5, &[0, 0, 0, 0, 0, 60_000, 0, 0, 0, 0, 0]).len(), 10);
        assert_eq!(allowed(600, &[0; 700]).len(), 600);
        assert_eq!(allowed(7, &[0; 9]).len(), 7);
    }

    #[test]
    fn a_clock_that_is_set_back_shuts_nobody_out() {
        let limit = Limit::per_minute(20);
        let ahead = Timestamp::from_millis(3_600_000);
        let kept = limit.decide(None, ahead).recovered_at;
        let refused = limit.decide(Some(kept), Timestamp::from_millis(0));
        assert_eq!((refused.is_allowed, refused.retry_after_seconds), (false, 4));
        let later = Timestamp::from_millis(4_000);
        assert!(limit.decide(Some(refused.recovered_at), later).is_allowed);
    }

    #[test]
    fn what_remains_counts_down() {
        let limit = Limit::per_minute(3);
        let now = Timestamp::from_millis(0);
        let first = limit.decide(None, now);
        let second = limit.decide(Some(first.recovered_at), now);
        let third = limit.decide(Some(second.recovered_at), now);
        let fourth = limit.decide(Some(third.recovered_at), now);
        assert_eq!([first.remaining, second.remaining, third.remaining], [2, 1, 0]);
        assert_eq!((fourth.is_allowed, fourth.retry_after_seconds), (false, 21));
    }

    proptest! {
        /// In no window of a minute more than twice the limit: a full burst and what came back meanwhile.
        #[test]
        fn no_minute_holds_more_than_a_burst_and_its_recovery(limit in 1..40u32, gaps in proptest::collection::vec(0..9000i64, 1..200)) {
            let times = allowed(limit, &gaps);
            for (index, start) in times.iter().enumerate() {
                let within = times[index..].iter().take_while(|time| **time < start + MINUTE).count();
                prop_assert!(within <= 2 * limit as usize);
            }
        }
    }
}
