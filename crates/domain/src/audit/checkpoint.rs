//! What an organization vouches for with its signature: that its log had this entry at its end.

use serde::{Deserialize, Serialize};

use super::canonical_json;
use crate::{OrganizationId, Timestamp};

/// Begins what is signed.
///
/// A token's signed text is base64 and dots only, so neither can ever pass for the other.
const DOMAIN: &str = "forge audit checkpoint v1\n";

/// The end of a log at a moment.
///
/// Who keeps it, outside the store, can tell later that nothing before it went away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Whose log.
    pub organization: OrganizationId,
    /// The number of the last entry; 0 of an empty log.
    pub sequence: i64,
    /// The hash of the last entry; [`super::GENESIS_HASH`] of an empty log.
    pub hash: String,
    /// When it was signed.
    pub created_at: Timestamp,
    /// The id of the key that signs it.
    pub kid: String,
}

impl Checkpoint {
    /// Returns the bytes that are signed.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "a checkpoint is made of texts and numbers"
    )]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let value = serde_json::to_value(self).expect("a checkpoint is made of texts and numbers");
        format!("{DOMAIN}{}", canonical_json(&value)).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_signed_and_nothing_signed_is_a_token() {
        let checkpoint = Checkpoint {
            organization: "acme".parse().unwrap(),
            sequence: 7,
            hash: "ab".into(),
            created_at: Timestamp::from_millis(5),
            kid: "k".into(),
        };
        let bytes = checkpoint.signed_bytes();
        assert_eq!(
            String::from_utf8(bytes.clone()).unwrap(),
            "forge audit checkpoint v1\n\
             {\"created_at\":5,\"hash\":\"ab\",\"kid\":\"k\",\"organization\":\"acme\",\"sequence\":7}"
        );
        let changes: [fn(&mut Checkpoint); 5] = [
            |c| c.organization = "other".parse().unwrap(),
            |c| c.sequence = 8,
            |c| c.hash = "ac".into(),
            |c| c.created_at = Timestamp::from_millis(6),
            |c| c.kid = "l".into(),
        ];
        for change in changes {
            let mut changed = checkpoint.clone();
            change(&mut changed);
            assert_ne!(changed.signed_bytes(), bytes);
        }
        // What a token's signature covers is base64 without padding, and one dot.
        assert!(bytes.contains(&b' ') && bytes.contains(&b'\n'));
    }
}
