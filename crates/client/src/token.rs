//! Tokens.

use std::fmt;

use forge_types::Timestamp;
use serde::{Deserialize, Serialize};

/// A token, and when it ends.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) id_token: String,
    pub(crate) expires_at: Timestamp,
}

/// Leaves the token itself out.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl Token {
    /// How long before its end a token is replaced, in seconds.
    const MARGIN: i64 = 5 * 60;

    /// Returns `true` if the token is good for a while.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        now.plus_seconds(Self::MARGIN) < self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_replaced_five_minutes_before_its_end() {
        let token = Token {
            id_token: "t".into(),
            expires_at: Timestamp::from_millis(1_000_000),
        };
        assert!(token.is_fresh(Timestamp::from_millis(699_999)));
        assert!(!token.is_fresh(Timestamp::from_millis(700_000)));
    }
}
