//! Rate limits: how often each user may call each operation, kept in memory of bounded size.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use forge_domain::Timestamp;
use forge_domain::rate::{Decision, Limit};
use quick_cache::unsync::Cache;

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
    /// When each is as good as new, in place of those who come seldom.
    seen: Mutex<Cache<(String, String), Timestamp>>,
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
            seen: Mutex::new(Cache::new(MAX_REMEMBERED)),
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
        seen.insert(key, decision.recovered_at);
        Some(Verdict { limit, decision })
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
    fn a_flood_of_identities_is_remembered_within_bounds_and_frees_nobody() {
        let limiter = RateLimiter::new(RateLimits::default());
        assert!(allowed(&limiter, "a", "greedy") && allowed(&limiter, "a", "greedy"));
        for number in 0..2 * MAX_REMEMBERED {
            assert!(allowed(&limiter, "a", &number.to_string()));
            if number % 1000 == 0 {
                assert!(!allowed(&limiter, "a", "greedy"), "after {number}");
            }
        }
        assert!(limiter.seen.lock().unwrap().len() <= MAX_REMEMBERED);
        assert!(
            allowed(&limiter, "a", "new") && allowed(&limiter, "a", "new") && !allowed(&limiter, "a", "new")
        );
    }
}
