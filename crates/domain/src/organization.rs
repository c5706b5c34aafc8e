//! The tenant.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use crate::user::Preferences;
use serde::{Deserialize, Serialize};

/// Identifies an organization: `^[a-z0-9-]+$`, at most 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrganizationId(String);

/// By its text: the two are compared, ordered and hashed alike.
impl Borrow<str> for OrganizationId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// The text is no organization id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an organization id has 1 to 64 characters, each a lower-case letter, a digit or `-`")]
pub struct InvalidOrganizationId;

impl OrganizationId {
    /// The longest id, in characters.
    pub const MAX_LENGTH: usize = 64;

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OrganizationId {
    type Err = InvalidOrganizationId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let valid = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if text.is_empty() || text.len() > Self::MAX_LENGTH || !text.bytes().all(valid) {
            return Err(InvalidOrganizationId);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for OrganizationId {
    type Error = InvalidOrganizationId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<OrganizationId> for String {
    fn from(id: OrganizationId) -> Self {
        id.0
    }
}

impl fmt::Display for OrganizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An organization.
#[derive(Debug, Clone, PartialEq)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name, for people.
    pub name: String,
    /// Whether it is the one that runs the installation.
    pub is_operator: bool,
    /// Whether it is closed for maintenance.
    pub is_in_maintenance: bool,
    /// The preferences that its new users start with.
    pub default_user_preferences: Preferences,
    /// The number of its latest change.
    pub change_number: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lower_case_letters_digits_and_hyphens_make_an_id() {
        for good in ["a", "acme", "acme-2", "0-0"] {
            assert!(good.parse::<OrganizationId>().is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", "Acme", "acme_2", "a b", "é", "a\0", &long] {
            assert_eq!(bad.parse::<OrganizationId>(), Err(InvalidOrganizationId), "{bad}");
        }
    }
}
