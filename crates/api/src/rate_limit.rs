//! Rate limits: how often each user may call each operation, kept in memory of bounded size.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use forge_domain::Timestamp;
use forge_domain::rate::{Decision, Limit};

/// How many (caller, operation) pairs are remembered at most.
const MAX_REMEMBERED: usize = 100_000;

/// Which limits hold.
#[derive(Debug, Clone, Default)]
pub struct RateLimits {
    /// Whether there are none.
    pub is_off: bool,
    /// Requests a minute by operation id, in place of the contract's.
    pub per_minute: HashMap<String, u32>,
}

/// Remembers who called what.
pub(crate) struct RateLimiter {
    limits: RateLimits,
    seen: Mutex<HashMap<(String, String), Timestamp>>,
}

/// What the limit says of a request, for its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verdict {
    limit: Limit,
    pub(crate) decision: Decision,
}

impl RateLimiter {
    pub(crate) fn new(limits: RateLimits) -> Self {
        Self {
            limits,
            seen: Mutex::default(),
        }
    }

    /// Returns the limit of an operation, if it has one.
    pub(crate) fn limit(&self, operation: &str, documented: Option<u32>) -> Option<Limit> {
        if self.limits.is_off {
            return None;
        }
        let set = self.limits.per_minute.get(operation).copied();
        set.or(documented).map(Limit::per_minute)
    }

    /// Counts a call of an operation by somebody and says whether it is allowed, or `None` if there is no limit.
    pub(crate) fn count(
        &self,
        operation: &str,
        documented: Option<u32>,
        identity: &str,
        now: Timestamp,
    ) -> Option<Verdict> {
        let limit = self.limit(operation, documented)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (operation.to_owned(), identity.to_owned());
        let decision = limit.decide(seen.get(&key).copied(), now);
        if seen.len() >= MAX_REMEMBERED && !seen.contains_key(&key) {
            forget_some(&mut seen, now);
        }
        seen.insert(key, decision.recovered_at);
        Some(Verdict { limit, decision })
    }
}

/// Makes room: forgets everybody who has recovered and, if that is not enough, the half that will recover first.
fn forget_some(seen: &mut HashMap<(String, String), Timestamp>, now: Timestamp) {
    seen.retain(|_, recovered_at| *recovered_at > now);
    if seen.len() * 2 > MAX_REMEMBERED {
        let mut times: Vec<Timestamp> = seen.values().copied().collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        let mut surplus = middle;
        seen.retain(|_, recovered_at| {
            let is_kept = *recovered_at > median || surplus == 0;
            surplus -= usize::from(!is_kept);
            is_kept
        });
    }
}

impl Verdict {
    /// Tells the limit in the headers of an answer.
    pub(crate) fn tell(&self, response: &mut Response) {
        let headers = response.headers_mut();
        let reset = self.decision.recovered_at.as_seconds();
        headers.insert(
            HeaderName::from_static("x-ratelimit-limit"),
            HeaderValue::from(self.limit.times()),
        );
        headers.insert(
            HeaderName::from_static("x-ratelimit-remaining"),
            HeaderValue::from(self.decision.remaining),
        );
        headers.insert(
            HeaderName::from_static("x-ratelimit-reset"),
            HeaderValue::from(reset),
        );
        if !self.decision.is_allowed {
            headers.insert(
                header::RETRY_AFTER,
                HeaderValue::from(self.decision.retry_after_seconds),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    fn allowed(limiter: &RateLimiter, operation: &str, identity: &str) -> bool {
        limiter
            .count(operation, Some(2), identity, NOW)
            .is_none_or(|verdict| verdict.decision.is_allowed)
    }

    #[test]
    fn each_user_and_operation_has_a_limit_of_its_own() {
        let limiter = RateLimiter::new(RateLimits::default());
        assert!(allowed(&limiter, "a", "u") && allowed(&limiter, "a", "u"));
        assert!(!allowed(&limiter, "a", "u"));
        assert!(allowed(&limiter, "b", "u") && allowed(&limiter, "a", "v"));
        assert!(
            limiter.count("c", None, "u", NOW).is_none(),
            "no limit is documented"
        );
    }

    #[test]
    fn limits_can_be_set_and_switched_off() {
        let set = RateLimits {
            per_minute: HashMap::from([("a".to_owned(), 1)]),
            ..RateLimits::default()
        };
        let limiter = RateLimiter::new(set);
        assert!(allowed(&limiter, "a", "u") && !allowed(&limiter, "a", "u"));
        let off = RateLimiter::new(RateLimits {
            is_off: true,
            ..RateLimits::default()
        });
        assert!((0..100).all(|_| allowed(&off, "a", "u")));
    }

    #[test]
    fn a_flood_of_identities_is_remembered_within_bounds() {
        let limiter = RateLimiter::new(RateLimits::default());
        for number in 0..MAX_REMEMBERED + 1000 {
            assert!(allowed(&limiter, "a", &number.to_string()));
        }
        assert!(limiter.seen.lock().unwrap().len() <= MAX_REMEMBERED);
        assert!(
            allowed(&limiter, "a", "new") && allowed(&limiter, "a", "new") && !allowed(&limiter, "a", "new")
        );
    }
}
