//! The five values of a profile, as variables and the lines of files name them.

use std::collections::BTreeMap;

use forge_client::Credentials;

use crate::error::{Exit, Failure, Result};

/// What variables, and the lines of files, begin with.
pub(super) const PREFIXES: [&str; 2] = ["FORGE_", "AMIGO_"];
/// How they go on.
pub(super) const FIELDS: [&str; 5] = ["BASE_URL", "ORGANIZATION_ID", "USER_ID", "API_KEY_ID", "API_KEY"];

/// Returns the names of the values that are set, of both prefixes.
pub(super) fn set(values: &BTreeMap<String, String>) -> Vec<String> {
    let names = PREFIXES
        .iter()
        .flat_map(|prefix| FIELDS.map(|field| format!("{prefix}{field}")));
    names
        .filter(|name| values.get(name).is_some_and(|value| !value.trim().is_empty()))
        .collect()
}

/// Reads credentials of one prefix; `None` if there is no value of any prefix.
///
/// Blanks around values are no part of them.
pub(super) fn read(
    values: &BTreeMap<String, String>,
    incomplete: impl Fn(&[&str], &'static str) -> Failure,
) -> Result<Option<(Credentials, &'static str)>> {
    for prefix in PREFIXES {
        let value = |field: &str| {
            let value = values.get(&format!("{prefix}{field}"))?.trim();
            (!value.is_empty()).then_some(value)
        };
        let missing: Vec<&str> = FIELDS
            .into_iter()
            .filter(|field| value(field).is_none())
            .collect();
        if missing.len() == FIELDS.len() {
            continue;
        }
        if !missing.is_empty() {
            return Err(incomplete(&missing, prefix));
        }
        let text = |field: &str| {
            let value = value(field).unwrap_or_default();
            match fault(value) {
                None => Ok(value.to_owned()),
                Some(fault) => Err(Failure::new(
                    Exit::NotPermitted,
                    format!("not signed in: {prefix}{field} has {fault} in it"),
                )
                .hint("it was cut off or put together wrongly; set it anew")),
            }
        };
        let credentials = Credentials {
            base_url: text("BASE_URL")?,
            organization_id: text("ORGANIZATION_ID")?,
            user_id: text("USER_ID")?,
            api_key_id: text("API_KEY_ID")?,
            api_key: text("API_KEY")?,
        };
        return Ok(Some((credentials, prefix)));
    }
    Ok(None)
}

/// Ensures that what both prefixes name is the same.
///
/// `place` is where they stand.
pub(super) fn check_prefixes(values: &BTreeMap<String, String>, place: &str) -> Result<()> {
    for field in FIELDS {
        let names = PREFIXES.map(|prefix| format!("{prefix}{field}"));
        let [first, second] = names
            .each_ref()
            .map(|name| values.get(name).map(|value| value.trim()));
        let (Some(first), Some(second)) = (first, second) else {
            continue;
        };
        if first != second && !first.is_empty() && !second.is_empty() {
            let [first, second] = names;
            let text = format!(
                "{first} and {second} differ in {place}: it is not clear which server and user are meant"
            );
            return Err(Failure::new(Exit::NotPermitted, text)
                .hint("leave out those of one prefix, or set both to the same"));
        }
    }
    Ok(())
}

/// Says what in a value cannot be part of one.
pub(crate) fn fault(value: &str) -> Option<&'static str> {
    let found = value.chars().find(|c| c.is_control() || c.is_whitespace())?;
    Some(match found {
        '\n' | '\r' => "a line break",
        c if c.is_whitespace() => "a blank",
        _ => "a control character",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_with(name: &str, value: &str) -> Result<Credentials> {
        let mut values: BTreeMap<String, String> = FIELDS
            .iter()
            .map(|field| (format!("FORGE_{field}"), "x".to_owned()))
            .collect();
        values.insert(name.to_owned(), value.to_owned());
        let missing = |_: &[&str], _: &str| Failure::failed("something is missing");
        read(&values, missing).map(|found| found.unwrap().0)
    }

    #[test]
    fn blanks_and_line_breaks_around_a_value_are_no_part_of_it() {
        for value in ["secret\n", "secret\r\n", " secret ", "\tsecret"] {
            assert_eq!(read_with("FORGE_API_KEY", value).unwrap().api_key, "secret");
        }
        assert_eq!(
            read_with("FORGE_ORGANIZATION_ID", "acme\n")
                .unwrap()
                .organization_id,
            "acme"
        );
        assert!(read_with("FORGE_API_KEY", " \n").is_err());
    }

    #[test]
    fn what_cannot_be_a_value_is_told_with_the_name_of_its_variable() {
        for (value, what) in [
            ("a\nb", "a line break"),
            ("a\r\nb", "a line break"),
            ("a b", "a blank"),
            ("a\u{1b}b", "a control character"),
        ] {
            let failure = read_with("FORGE_API_KEY", value).unwrap_err();
            assert_eq!(failure.exit, Exit::NotPermitted);
            let message = failure.message.unwrap();
            assert_eq!(message, format!("not signed in: FORGE_API_KEY has {what} in it"));
        }
    }
}
