//! How much may be remembered of what was answered to calls under keys, for each user. Counted by each server, in memory
//! of bounded size.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use forge_domain::Timestamp;
use quick_cache::unsync::Cache;

/// How large an answer may be to be remembered, in bytes.
pub(crate) const MOST_OF_ONE: usize = 1024 * 1024;

/// How many answers are remembered for one user in a day.
const MOST_ANSWERS: usize = 50_000;

/// How long it counts.
const COUNTED: Duration = Duration::from_hours(24);

/// How many users are counted at most.
const MOST_USERS: usize = 100_000;

/// Counts what is remembered.
#[derive(Debug, Clone)]
pub(crate) struct KeptAnswers {
    /// How many bytes are remembered for one user in a day; the answer that reaches them is.
    most_bytes: usize,
    /// In place of those who come seldom.
    by_user: Arc<Mutex<Cache<String, Count>>>,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    since: Timestamp,
    bytes: usize,
    answers: usize,
}

impl KeptAnswers {
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self {
            most_bytes,
            by_user: Arc::new(Mutex::new(Cache::new(MOST_USERS))),
        }
    }

    /// Returns `true` if another answer to the user may be remembered.
    pub(crate) fn has_place(&self, user: &str, now: Timestamp) -> bool {
        let counts = self.by_user.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(user).is_none_or(|count| {
            count.since + COUNTED <= now || count.bytes < self.most_bytes && count.answers < MOST_ANSWERS
        })
    }

    /// Counts an answer that was remembered.
    pub(crate) fn add(&self, user: &str, bytes: usize, now: Timestamp) {
        let mut counts = self.by_user.lock().unwrap_or_else(PoisonError::into_inner);
        let new = Count {
            since: now,
            bytes: 0,
            answers: 0,
        };
        let known = counts.get(user).filter(|count| count.since + COUNTED > now);
        let mut count = known.copied().unwrap_or(new);
        count.bytes += bytes;
        count.answers += 1;
        counts.insert(user.to_owned(), count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    #[test]
    fn each_user_has_a_place_until_too_much_is_remembered_and_again_on_the_next_day() {
        let kept = KeptAnswers::new(1000);
        for _ in 0..3 {
            assert!(kept.has_place("a", NOW));
            kept.add("a", 400, NOW);
        }
        assert!(!kept.has_place("a", NOW) && kept.has_place("b", NOW));
        let tomorrow = NOW + COUNTED;
        assert!(kept.has_place("a", tomorrow));
        kept.add("a", 1, tomorrow);
        assert!(kept.has_place("a", tomorrow));
    }

    #[test]
    fn very_many_small_answers_are_too_much_too() {
        let kept = KeptAnswers::new(usize::MAX);
        for _ in 0..MOST_ANSWERS {
            kept.add("a", 1, NOW);
        }
        assert!(!kept.has_place("a", NOW));
    }
}
