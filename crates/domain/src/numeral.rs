//! Numbers that people and programs write as text: in references, options, headers and queries.

use std::fmt::Display;
use std::str::FromStr;

/// Reads an integer in the one form in which Forge writes it: without `+`, and without zeros before it.
///
/// The standard library reads `+3` and `03`, too. Where a text that is no number has a meaning of its own, such as in
/// `NAME@3`, those must not pass for one.
pub fn integer<N: FromStr + Display>(text: &str) -> Option<N> {
    text.parse().ok().filter(|number: &N| number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_form() {
        for number in [i64::MIN, -1, 0, 3, 10, i64::MAX] {
            assert_eq!(integer(&number.to_string()), Some(number));
        }
        for text in [
            "",
            "+3",
            "03",
            "-0",
            "+0",
            " 3",
            "3 ",
            "3.0",
            "1e2",
            "1_000",
            "٣",
            "9223372036854775808",
        ] {
            assert_eq!(integer::<i64>(text), None, "{text}");
        }
        assert_eq!(integer::<u32>("-1"), None);
    }
}
