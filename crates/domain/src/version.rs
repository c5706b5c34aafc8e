//! Version numbers of agents and context graphs: 1, 2, 3 … without gaps.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::numeral::integer;

/// The number of a version, at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct VersionNumber(i64);

/// One version of a thing that an `I` identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionRef<I> {
    /// What it is a version of.
    pub id: I,
    /// Its number.
    pub version: VersionNumber,
}

impl VersionNumber {
    /// The number of every first version.
    pub const FIRST: Self = Self(1);

    /// Returns the number as an integer.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Returns the number that the version after `latest` gets.
    pub fn after(latest: Option<Self>) -> Self {
        latest.map_or(Self::FIRST, |number| Self(number.0 + 1))
    }

    /// Returns `true` if this version exists, given the newest one.
    ///
    /// Numbers have no gaps, so comparing is enough.
    pub fn exists(self, latest: Option<Self>) -> bool {
        latest.is_some_and(|latest| self <= latest)
    }
}

/// The integer is below 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("version numbers start at 1")]
pub struct InvalidVersionNumber;

impl TryFrom<i64> for VersionNumber {
    type Error = InvalidVersionNumber;

    fn try_from(number: i64) -> Result<Self, InvalidVersionNumber> {
        if number < 1 {
            Err(InvalidVersionNumber)
        } else {
            Ok(Self(number))
        }
    }
}

impl From<VersionNumber> for i64 {
    fn from(number: VersionNumber) -> Self {
        number.0
    }
}

impl fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The caller expected the new version to get another number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the next version is {next}, not {expected}; read the latest version, then try again with version={next}"
)]
pub struct NotTheNextVersion {
    /// What the caller expected.
    pub expected: VersionNumber,
    /// What the next version is.
    pub next: VersionNumber,
}

/// Returns the number of the next version, provided that it is the one the caller expects.
pub fn next_version(
    latest: Option<VersionNumber>,
    expected: Option<VersionNumber>,
) -> Result<VersionNumber, NotTheNextVersion> {
    let next = VersionNumber::after(latest);
    match expected {
        Some(expected) if expected != next => Err(NotTheNextVersion { expected, next }),
        _ => Ok(next),
    }
}

/// Which versions a reader asks for: `3`, `latest`, `2-5` or `1-latest`, bounds included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionRange {
    lower: Bound,
    upper: Bound,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Number(VersionNumber),
    Latest,
}

/// The text names no version and no range of versions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a version such as `3`, `latest`, or a range such as `2-5` or `1-latest`")]
pub struct InvalidVersionRange;

impl VersionRange {
    /// Every version.
    pub const ALL: Self = Self {
        lower: Bound::Number(VersionNumber::FIRST),
        upper: Bound::Latest,
    };

    /// Returns the numbers of the first and the last version asked for, given the newest one there is.
    pub fn bounds(self, latest: VersionNumber) -> (VersionNumber, VersionNumber) {
        let number = |bound| match bound {
            Bound::Number(number) => number,
            Bound::Latest => latest,
        };
        (number(self.lower), number(self.upper))
    }
}

impl FromStr for Bound {
    type Err = InvalidVersionRange;

    fn from_str(text: &str) -> Result<Self, InvalidVersionRange> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        let number: i64 = integer(text).ok_or(InvalidVersionRange)?;
        number
            .try_into()
            .map(Self::Number)
            .map_err(|_| InvalidVersionRange)
    }
}

impl FromStr for VersionRange {
    type Err = InvalidVersionRange;

    fn from_str(text: &str) -> Result<Self, InvalidVersionRange> {
        let (lower, upper) = match text.split_once('-') {
            Some((lower, upper)) => (lower.parse()?, upper.parse()?),
            None => (text.parse()?, text.parse()?),
        };
        match (lower, upper) {
            (Bound::Number(lower), Bound::Number(upper)) if lower > upper => Err(InvalidVersionRange),
            (Bound::Latest, Bound::Number(_)) => Err(InvalidVersionRange),
            _ => Ok(Self { lower, upper }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(number: i64) -> VersionNumber {
        number.try_into().unwrap()
    }

    #[test]
    fn numbers_start_at_one_and_have_no_gaps() {
        assert_eq!(next_version(None, None), Ok(number(1)));
        assert_eq!(next_version(Some(number(7)), None), Ok(number(8)));
        assert!(VersionNumber::try_from(0).is_err());
        assert!(VersionNumber::try_from(-1).is_err());
    }

    #[test]
    fn an_expected_number_must_be_the_next_one() {
        assert_eq!(next_version(Some(number(2)), Some(number(3))), Ok(number(3)));
        for expected in [1, 2, 4] {
            let expected = number(expected);
            let refused = Err(NotTheNextVersion {
                expected,
                next: number(3),
            });
            assert_eq!(next_version(Some(number(2)), Some(expected)), refused);
        }
    }

    #[test]
    fn ranges_are_inclusive() {
        let bounds = |text: &str| {
            let (lower, upper) = text.parse::<VersionRange>().unwrap().bounds(number(9));
            (lower.get(), upper.get())
        };
        assert_eq!(bounds("3"), (3, 3));
        assert_eq!(bounds("latest"), (9, 9));
        assert_eq!(bounds("2-5"), (2, 5));
        assert_eq!(bounds("1-latest"), (1, 9));
        assert_eq!(VersionRange::ALL.bounds(number(9)), (number(1), number(9)));
    }

    #[test]
    fn other_texts_are_no_range() {
        for text in [
            "",
            "0",
            "-1",
            "1-",
            "-",
            "5-2",
            "latest-3",
            "1-2-3",
            "+1",
            "01",
            " 1",
            "٣",
            "newest",
            "99999999999999999999",
        ] {
            assert_eq!(text.parse::<VersionRange>(), Err(InvalidVersionRange), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_version_exists_exactly_up_to_the_latest(n in 1..1000i64, latest in 1..1000i64) {
            prop_assert_eq!(number(n).exists(Some(number(latest))), n <= latest);
            prop_assert!(!number(n).exists(None));
        }
    }
}
