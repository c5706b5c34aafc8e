//! Tokens whose signature was found right, so that it need not be checked again at every request.

use std::sync::Arc;

use forge_domain::OrganizationId;
use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};

use crate::access::claims::Claims;

/// How many tokens are remembered at most.
const MAX_REMEMBERED: usize = 50_000;

/// The tokens, by the hash of the organization that issued them and of their text: the tokens themselves are secrets.
///
/// Only the signature is settled. That a token has not ended, and that its user and key are still there, is looked
/// at every time.
#[derive(Debug)]
pub(crate) struct VerifiedTokens(Cache<[u8; 32], Arc<Claims>>);

impl Default for VerifiedTokens {
    fn default() -> Self {
        Self(Cache::new(MAX_REMEMBERED))
    }
}

impl VerifiedTokens {
    /// Returns what a token says, if its signature was found right before.
    pub(crate) fn find(&self, issuer: &OrganizationId, token: &str) -> Option<Arc<Claims>> {
        self.0.get(&key(issuer, token))
    }

    /// Remembers none any more.
    pub(crate) fn clear(&self) {
        self.0.clear();
    }

    /// Remembers a token whose signature was found right, in place of one that comes seldom.
    pub(crate) fn remember(&self, issuer: &OrganizationId, token: &str, claims: Arc<Claims>) {
        self.0.insert(key(issuer, token), claims);
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

    fn claims() -> Arc<Claims> {
        Arc::new(Claims {
            iss: "acme".parse().unwrap(),
            sub: "u".to_owned(),
            key: "k".to_owned(),
            iat: 0,
            exp: 10,
        })
    }

    #[test]
    fn a_token_is_remembered_for_the_organization_that_issued_it_only() {
        let (tokens, acme) = (VerifiedTokens::default(), "acme".parse().unwrap());
        tokens.remember(&acme, "t", claims());
        assert!(tokens.find(&acme, "t").is_some());
        assert!(tokens.find(&acme, "u").is_none());
        assert!(tokens.find(&"acm".parse().unwrap(), "et").is_none());
    }

    #[test]
    fn a_flood_of_tokens_is_remembered_within_bounds_and_drives_out_none_in_use() {
        let (tokens, acme) = (VerifiedTokens::default(), "acme".parse().unwrap());
        tokens.remember(&acme, "in use", claims());
        for number in 0..2 * MAX_REMEMBERED {
            tokens.remember(&acme, &number.to_string(), claims());
            if number % 100 == 0 {
                assert!(tokens.find(&acme, "in use").is_some(), "after {number}");
            }
        }
        assert!(tokens.0.len() <= MAX_REMEMBERED + MAX_REMEMBERED / 10);
        let last = (2 * MAX_REMEMBERED - 1).to_string();
        assert!(tokens.find(&acme, &last).is_some());
    }
}
