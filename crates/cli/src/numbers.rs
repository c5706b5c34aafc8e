//! Numbers in options: in the one form in which they are printed.

use std::fmt::Display;
use std::str::FromStr;

use forge_domain::numeral::integer;

/// Reads a number that counts something.
pub(crate) fn from_one<N: FromStr + Display + PartialOrd + From<u8>>(text: &str) -> Result<N, String> {
    at_least(1, text)
}

/// Reads a number before or behind which something is.
pub(crate) fn from_zero<N: FromStr + Display + PartialOrd + From<u8>>(text: &str) -> Result<N, String> {
    at_least(0, text)
}

fn at_least<N: FromStr + Display + PartialOrd + From<u8>>(least: u8, text: &str) -> Result<N, String> {
    integer(text)
        .filter(|number| *number >= N::from(least))
        .ok_or_else(|| format!("expected a whole number of at least {least}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_options_have_no_sign() {
        assert_eq!((from_one("1"), from_zero("0")), (Ok(1_i64), Ok(0_i64)));
        for text in ["0", "+3", "-1", "03", "x", ""] {
            assert!(from_one::<i64>(text).is_err(), "{text}");
        }
        for text in ["-1", "+0", "-0"] {
            assert!(from_zero::<i64>(text).is_err(), "{text}");
        }
    }
}
