//! Who signs in, and where.

use std::fmt;

#[cfg(feature = "token-cache")]
use sha2::{Digest as _, Sha256};

#[cfg(feature = "token-cache")]
use crate::address;

/// What identifies a server, and a user who signs in there with an API key.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The address of the server, such as `https://forge.example.com`.
    pub base_url: String,
    /// The organization.
    pub organization_id: String,
    /// The user.
    pub user_id: String,
    /// The id of the key.
    pub api_key_id: String,
    /// The secret of the key.
    pub api_key: String,
}

#[cfg(feature = "token-cache")]
impl Credentials {
    /// Returns a hash of all of it, which tells the tokens of different credentials apart.
    pub(crate) fn hash(&self) -> String {
        let mut hash = Sha256::new();
        // However it was typed.
        let base_url = match address::used(&self.base_url) {
            Ok(url) => address::text(&url),
            Err(_) => self.base_url.clone(),
        };
        let parts = [
            &base_url,
            &self.organization_id,
            &self.api_key_id,
            &self.api_key,
            &self.user_id,
        ];
        for part in parts {
            // With its length before it, no part can be mistaken for the end of another one.
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        forge_types::hex(&hash.finalize())
    }
}

/// Leaves the secret out.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("base_url", &self.base_url)
            .field("organization_id", &self.organization_id)
            .field("user_id", &self.user_id)
            .field("api_key_id", &self.api_key_id)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "token-cache"))]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts_and_the_secret_is_not_shown() {
        let credentials = Credentials {
            base_url: "http://host/".into(),
            organization_id: "acme".into(),
            user_id: "u".into(),
            api_key_id: "k".into(),
            api_key: "secret".into(),
        };
        assert!(!format!("{credentials:?}").contains("secret"));
        let hash = credentials.hash();
        let changes: [fn(&mut Credentials); 5] = [
            |c| c.base_url = "http://other".into(),
            |c| c.organization_id = "acmeu".into(),
            |c| c.user_id = "v".into(),
            |c| c.api_key_id = "l".into(),
            |c| c.api_key = "other".into(),
        ];
        for change in changes {
            let mut other = credentials.clone();
            change(&mut other);
            assert_ne!(other.hash(), hash);
        }
        let mut same = credentials.clone();
        for typed in ["http://host", "HTTP://HOST:80//"] {
            same.base_url = typed.into();
            assert_eq!(same.hash(), hash);
        }
    }
}
