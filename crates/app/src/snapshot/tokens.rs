//! Tokens whose signature was found right, so that it need not be checked again at every request.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use forge_domain::{OrganizationId, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::access::claims::Claims;

/// How many tokens are remembered at most.
const MAX_REMEMBERED: usize = 50_000;

/// The tokens, by the hash of the organization that issued them and of their text: the tokens themselves are secrets.
///
/// Only the signature is entry. That a token has not ended, and that its user and key are still there, is looked
/// at every time.
#[derive(Debug, Default)]
pub(crate) struct VerifiedTokens(RwLock<HashMap<[u8; 32], Arc<Claims>>>);

impl VerifiedTokens {
    /// Returns what a token says, if its signature was found right before.
    pub(crate) fn find(&self, issuer: &OrganizationId, token: &str) -> Option<Arc<Claims>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&key(issuer, token)).cloned()
    }

    /// Remembers none any more.
    pub(crate) fn clear(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Remembers a token whose signature was found right.
    pub(crate) fn remember(&self, issuer: &OrganizationId, token: &str, claims: Arc<Claims>, now: Timestamp) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_REMEMBERED {
            known.retain(|_, claims| claims.exp > now.as_seconds());
            if known.len() >= MAX_REMEMBERED {
                // All of them live: they are verified anew as they come.
                known.clear();
            }
        }
        known.insert(key(issuer, token), claims);
    }
}

fn key(issuer: &OrganizationId, token: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(issuer.as_str());
    hash.update([0]);
    hash.update(token);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(exp: i64) -> Arc<Claims> {
        Arc::new(Claims {
            iss: "acme".parse().unwrap(),
            sub: "u".to_owned(),
            key: "k".to_owned(),
            iat: 0,
            exp,
        })
    }

    #[test]
    fn a_token_is_remembered_for_the_organization_that_issued_it_only() {
        let (tokens, acme) = (VerifiedTokens::default(), "acme".parse().unwrap());
        tokens.remember(&acme, "t", claims(10), Timestamp::from_millis(0));
        assert!(tokens.find(&acme, "t").is_some());
        assert!(tokens.find(&acme, "u").is_none());
        assert!(tokens.find(&"acm".parse().unwrap(), "et").is_none());
    }

    #[test]
    fn a_flood_of_tokens_is_remembered_within_bounds() {
        let (tokens, acme) = (VerifiedTokens::default(), "acme".parse().unwrap());
        for number in 0..MAX_REMEMBERED + 10 {
            let ends = if number % 2 == 0 { 1 } else { 1000 };
            tokens.remember(
                &acme,
                &number.to_string(),
                claims(ends),
                Timestamp::from_millis(5000),
            );
        }
        assert!(tokens.0.read().unwrap().len() <= MAX_REMEMBERED);
        assert!(tokens.find(&acme, &(MAX_REMEMBERED + 9).to_string()).is_some());
        assert!(
            tokens.find(&acme, "2").is_none(),
            "it had ended when room was needed"
        );
        assert!(tokens.find(&acme, "1").is_some());
    }
}
