//! `N`, `latest` and `keep`.

use std::str::FromStr;

use forge_domain::numeral::integer;

/// Which version a set is to pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VersionArg {
    Number(i64),
    Latest,
    Keep,
}

impl VersionArg {
    /// Returns the pin, if the set pins `kept` now.
    pub(super) fn of(self, kept: Option<i64>) -> Option<i64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Latest => None,
            Self::Keep => kept,
        }
    }
}

impl FromStr for VersionArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "latest" => Ok(Self::Latest),
            "keep" => Ok(Self::Keep),
            _ => {
                let number = integer(text).filter(|number| *number > 0);
                number
                    .map(Self::Number)
                    .ok_or_else(|| "a version is 1, 2, 3 …, `latest` or `keep`".to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers_from_one_or_words() {
        assert_eq!("7".parse(), Ok(VersionArg::Number(7)));
        assert_eq!("latest".parse::<VersionArg>().unwrap().of(Some(3)), None);
        assert_eq!("keep".parse::<VersionArg>().unwrap().of(Some(3)), Some(3));
        for bad in ["0", "-1", "newest", "+3", "1.5", ""] {
            assert!(bad.parse::<VersionArg>().is_err(), "{bad}");
        }
    }
}
