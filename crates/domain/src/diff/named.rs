//! How the two sides of a comparison are named.

use std::fmt;
use std::str::FromStr;

use crate::SetName;
use crate::numeral::integer;

/// A set as it is now, `release`, or one of its revisions, `release@7`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetOrRevision {
    /// The set.
    pub name: SetName,
    /// The number of the revision; nothing means the set as it is now.
    pub revision: Option<i64>,
}

/// The text names no set and no revision of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a version set such as `release`, or a revision of one such as `release@7`")]
pub struct InvalidSetOrRevision;

impl FromStr for SetOrRevision {
    type Err = InvalidSetOrRevision;

    fn from_str(text: &str) -> Result<Self, InvalidSetOrRevision> {
        let (name, revision) = match text.split_once('@') {
            Some((name, revision)) => (name, Some(number(revision).ok_or(InvalidSetOrRevision)?)),
            None => (text, None),
        };
        let name = name.parse().map_err(|_| InvalidSetOrRevision)?;
        Ok(Self { name, revision })
    }
}

/// Reads a number from 1.
fn number(text: &str) -> Option<i64> {
    integer(text).filter(|number| *number > 0)
}

impl fmt::Display for SetOrRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.revision {
            Some(revision) => write!(f, "{}@{revision}", self.name),
            None => self.name.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_have_a_revision() {
        for (text, revision) in [
            ("release", None),
            ("release@7", Some(7)),
            ("release@10", Some(10)),
        ] {
            let read: SetOrRevision = text.parse().unwrap();
            assert_eq!((read.name.as_str(), read.revision), ("release", revision));
            assert_eq!(read.to_string(), text);
        }
    }

    #[test]
    fn other_texts_name_nothing() {
        for text in [
            "",
            "@",
            "@7",
            "release@",
            "release@0",
            "release@07",
            "release@-1",
            "release@+1",
            "release@1.0",
            "release@1@2",
            "release @1",
            "a b",
            "release@99999999999999999999",
        ] {
            assert_eq!(text.parse::<SetOrRevision>(), Err(InvalidSetOrRevision), "{text}");
        }
    }
}
