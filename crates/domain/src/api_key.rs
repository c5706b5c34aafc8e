//! API keys, with which programs sign in.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::RoleId;
use crate::access::Role;
use crate::actor::UserRef;
use crate::time::Timestamp;
use forge_types::id::ApiKeyObjectId;

/// Identifies an API key: a UUID, in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiKeyId([u8; 16]);

/// Where a UUID's text has its hyphens.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// The text is no UUID in lower case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an API key's id is a UUID in lower case")]
pub struct InvalidApiKeyId;

impl ApiKeyId {
    /// Creates an id from random bytes: a UUID of version 4.
    pub const fn new(mut random: [u8; 16]) -> Self {
        random[6] = random[6] & 0x0f | 0x40;
        random[8] = random[8] & 0x3f | 0x80;
        Self(random)
    }
}

impl FromStr for ApiKeyId {
    type Err = InvalidApiKeyId;

    fn from_str(text: &str) -> Result<Self, InvalidApiKeyId> {
        let text: &[u8; 36] = text.as_bytes().try_into().map_err(|_| InvalidApiKeyId)?;
        let mut bytes = [0; 16];
        let mut digits = 0;
        for (place, byte) in text.iter().enumerate() {
            let digit = match byte {
                b'-' if HYPHENS.contains(&place) => continue,
                _ if HYPHENS.contains(&place) => return Err(InvalidApiKeyId),
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                _ => return Err(InvalidApiKeyId),
            };
            bytes[digits / 2] = bytes[digits / 2] << 4 | digit;
            digits += 1;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for ApiKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: [u8; 16] = *b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let places = (0..36).filter(|place| !HYPHENS.contains(place));
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        for (place, digit) in places.zip(digits) {
            text[place] = DIGITS[usize::from(digit)];
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for ApiKeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An API key; the secret itself is not kept.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// A second id, which the contract shows beside the first.
    pub object_id: ApiKeyObjectId,
    /// SHA-256 of the secret, in hex.
    pub secret_hash: String,
    /// Its name, for people.
    pub name: Option<String>,
    /// The role it is bound to.
    pub role: Role,
    /// Whether it belongs to an AI agent.
    pub is_agent: bool,
    /// Who created it.
    pub creator: UserRef,
    /// Who else could have created it in that user's name.
    pub behind: Vec<UserRef>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// An API key to be created.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// A second id, which the contract shows beside the first.
    pub object_id: ApiKeyObjectId,
    /// SHA-256 of the secret, in hex.
    pub secret_hash: String,
    /// The role it is bound to.
    pub role_id: RoleId,
    /// Its name, for people.
    pub name: Option<String>,
    /// Whether it belongs to an AI agent.
    pub is_agent: bool,
    /// Who creates it.
    pub creator: UserRef,
    /// Who else could be creating it in that user's name.
    pub behind: Vec<UserRef>,
    /// When it ends.
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_id_is_a_uuid_that_survives_its_text(random: [u8; 16]) {
            let id = ApiKeyId::new(random);
            let text = id.to_string();
            prop_assert_eq!(text.parse(), Ok(id));
            prop_assert_eq!(&text[14..15], "4");
            prop_assert!("89ab".contains(&text[19..20]), "{}", text);
            let upper = text.to_uppercase();
            prop_assert_eq!(upper.parse::<ApiKeyId>().is_ok(), upper == text);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        assert!("01234567-89ab-4def-8123-456789abcdef".parse::<ApiKeyId>().is_ok());
        for text in [
            "",
            "lower",
            "0123456789ab-4def-8123-456789abcdef01",
            "01234567-89ab-4def-8123-456789abcde-",
        ] {
            assert_eq!(text.parse::<ApiKeyId>(), Err(InvalidApiKeyId), "{text}");
        }
    }
}
