//! What a token says.

use forge_domain::{OrganizationId, Timestamp};
use serde::{Deserialize, Serialize};

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The organization that issued it.
    pub(crate) iss: OrganizationId,
    /// The user it stands for.
    pub(crate) sub: String,
    /// The API key it was got with; the token ends with the key.
    pub(crate) key: String,
    /// When it was issued, in seconds.
    pub(crate) iat: i64,
    /// When it ends, in seconds.
    pub(crate) exp: i64,
}

impl Claims {
    /// Returns when the token ends.
    pub(crate) fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.exp * 1000)
    }
}
