//! Names of version sets.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a version set: `^[A-Za-z0-9_-]+$`, at most 40 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SetName(String);

/// By its text: the two are compared, ordered and hashed alike.
impl Borrow<str> for SetName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// The text is no name of a version set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a version set's name has 1 to 40 characters, each a letter, a digit, `_` or `-`")]
pub struct InvalidSetName;

impl SetName {
    /// The longest name, in characters.
    pub const MAX_LENGTH: usize = 40;

    /// The sets that all who work on a service share.
    ///
    /// They are no others in capitals, even before they are there: otherwise whoever may not create one of them could
    /// keep everybody from it.
    pub const SHARED: [&str; 4] = ["edge", "release", "preview", "test"];

    /// The set that always floats; it cannot be changed.
    pub fn edge() -> Self {
        Self("edge".to_owned())
    }

    /// The set that runtimes get when they name none.
    pub fn release() -> Self {
        Self("release".to_owned())
    }

    /// Returns `true` if this is `edge`.
    pub fn is_edge(&self) -> bool {
        self.0 == "edge"
    }

    /// Returns `true` if every service has this set for as long as it exists.
    pub fn is_permanent(&self) -> bool {
        self.is_edge() || self.0 == "release"
    }

    /// Returns `true` if the names differ in capitals alone.
    pub fn is_alike(&self, other: &Self) -> bool {
        self != other && self.0.eq_ignore_ascii_case(&other.0)
    }

    /// Returns the sets that all who work on a service share.
    pub fn shared() -> [Self; 4] {
        Self::SHARED.map(|name| Self(name.to_owned()))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SetName {
    type Err = InvalidSetName;

    fn from_str(text: &str) -> Result<Self, InvalidSetName> {
        let valid = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if text.is_empty() || text.len() > Self::MAX_LENGTH || !text.bytes().all(valid) {
            return Err(InvalidSetName);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for SetName {
    type Error = InvalidSetName;

    fn try_from(text: String) -> Result<Self, InvalidSetName> {
        text.parse()
    }
}

impl From<SetName> for String {
    fn from(name: SetName) -> Self {
        name.0
    }
}

impl fmt::Display for SetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_pattern() {
        let longest = "a".repeat(40);
        for good in ["edge", "release", "personal-alex", "A_b-9", "7", &longest] {
            assert!(good.parse::<SetName>().is_ok(), "{good}");
        }
        let too_long = "a".repeat(41);
        for bad in ["", "a b", "a.b", "é", "a/b", "a\n", &too_long] {
            assert_eq!(bad.parse::<SetName>(), Err(InvalidSetName), "{bad}");
        }
    }
}
