//! The lines of `.env` files: `NAME=VALUE`, with `#` before comments. Nothing in a value is replaced by anything else.
//!
//! Such files belong to several programs. Of lines that are not of a profile, nothing is asked.

use std::collections::BTreeMap;

use super::{FIELDS, PREFIXES};

/// Reads the lines.
///
/// Those of other programs are among them, as far as they can be read.
pub(super) fn parse(text: &str) -> Result<BTreeMap<String, String>, String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut values = BTreeMap::new();
    // The lines of the values of profiles.
    let mut ours: BTreeMap<&str, usize> = BTreeMap::new();
    let mut position = 0;
    while let Some(line) = lines.get(position) {
        let number = position + 1;
        position += 1;
        let line = without_export(line.trim());
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let is_ours = PREFIXES.iter().any(|prefix| line.starts_with(prefix));
        let Some((name, value)) = line.split_once('=') else {
            if is_ours {
                return Err(format!("line {number} is not of the form NAME=VALUE"));
            }
            continue;
        };
        let (name, value) = (name.trim(), value.trim());
        if is_value(name)
            && let Some(first) = ours.insert(name, number)
        {
            return Err(format!(
                "the lines {first} and {number} both give {name}; which of them is meant is not clear"
            ));
        }
        match read(value) {
            Read::Value(value) => {
                values.insert(name.to_owned(), value.to_owned());
            }
            Read::Rest if is_ours => {
                return Err(format!(
                    "line {number}: after the closing quote of {name}, only a comment may follow"
                ));
            }
            Read::Open(_) if is_ours => {
                return Err(format!("line {number}: the quote of {name} is not closed"));
            }
            Read::Rest => {}
            Read::Open(quote) => {
                // A value of several lines. If its end never comes, it is none.
                let end = lines[position..].iter().position(|line| line.contains(quote));
                position += end.map_or(0, |end| end + 1);
            }
        }
    }
    Ok(values)
}

/// Returns `true` if a name is that of a value of a profile.
fn is_value(name: &str) -> bool {
    let field = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix));
    field.is_some_and(|field| FIELDS.contains(&field))
}

fn without_export(line: &str) -> &str {
    match line.strip_prefix("export") {
        Some(rest) if rest.starts_with(char::is_whitespace) => rest.trim_start(),
        _ => line,
    }
}

/// What stands behind the `=`.
enum Read<'l> {
    Value(&'l str),
    /// Something follows a quoted value that is no comment.
    Rest,
    /// This quote is not closed.
    Open(char),
}

fn read(value: &str) -> Read<'_> {
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let begins_comment = |(position, _): &(usize, &str)| {
            let before = value[..*position].chars().next_back();
            before.is_none_or(char::is_whitespace)
        };
        let comment = value.match_indices('#').find(begins_comment);
        return Read::Value(comment.map_or(value, |(position, _)| value[..position].trim_end()));
    };
    let Some((inner, rest)) = value[1..].split_once(quote) else {
        return Read::Open(quote);
    };
    let is_comment = rest.trim_start().starts_with('#') && rest.starts_with(char::is_whitespace);
    if rest.trim().is_empty() || is_comment {
        Read::Value(inner)
    } else {
        Read::Rest
    }
}

/// Returns the lines of a profile, which a shell can read, too.
pub(crate) fn write(credentials: &forge_client::Credentials) -> String {
    let values = [
        ("BASE_URL", &credentials.base_url),
        ("ORGANIZATION_ID", &credentials.organization_id),
        ("USER_ID", &credentials.user_id),
        ("API_KEY_ID", &credentials.api_key_id),
        ("API_KEY", &credentials.api_key),
    ];
    let line = |(name, value): (&str, &String)| format!("FORGE_{name}='{value}'\n");
    values.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_read(text: &str, expected: &[(&str, &str)]) {
        let expected: BTreeMap<String, String> = expected
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn lines_are_read_as_shells_read_them() {
        assert_read(
            "# mine\n\nexport A=1\n B = 'x y' \nC=\"#1$A\"\nD=a=b\nE=\nexport\tF=2\r\nexportG=3\nH=a#b\nI=a # b\nJ= # c",
            &[
                ("A", "1"),
                ("B", "x y"),
                ("C", "#1$A"),
                ("D", "a=b"),
                ("E", ""),
                ("F", "2"),
                ("exportG", "3"),
                ("H", "a#b"),
                ("I", "a"),
                ("J", ""),
            ],
        );
    }

    #[test]
    fn a_comment_may_follow_a_quoted_value_and_nothing_else() {
        assert_read(
            "FORGE_API_KEY='a#b' # until March\nX=\"it's\"  ",
            &[("FORGE_API_KEY", "a#b"), ("X", "it's")],
        );
        for rest in ["'a'b", "'a'#b", "\"a\" b", "'a' 'b'"] {
            let fault = parse(&format!("A=1\nFORGE_API_KEY={rest}")).unwrap_err();
            assert_eq!(
                fault,
                "line 2: after the closing quote of FORGE_API_KEY, only a comment may follow"
            );
        }
        let fault = parse("AMIGO_API_KEY='a").unwrap_err();
        assert_eq!(fault, "line 1: the quote of AMIGO_API_KEY is not closed");
    }

    #[test]
    fn a_value_is_given_once() {
        let fault = parse("FORGE_BASE_URL=a\n# FORGE_BASE_URL=b\nexport FORGE_BASE_URL='c'").unwrap_err();
        assert_eq!(
            fault,
            "the lines 1 and 3 both give FORGE_BASE_URL; which of them is meant is not clear"
        );
        // Even if it is the same one: whoever changes one of them believes to have changed it.
        assert!(parse("AMIGO_API_KEY=a\nAMIGO_API_KEY=a").is_err());
        assert_read("A=1\nA=2\nFORGE_X=1\nFORGE_X=2", &[("A", "2"), ("FORGE_X", "2")]);
    }

    #[test]
    fn lines_of_other_programs_are_passed_over_whatever_they_are() {
        let text = "CERT=\"-----BEGIN\nFORGE_API_KEY=inside\n-----END\"\nFORGE_API_KEY=real\nJSON={\n  \"a\": 1\n}\nit's\n\
            Y='a'b\nZ='never closed\nFORGE_USER_ID=u";
        assert_read(
            text,
            &[("FORGE_API_KEY", "real"), ("JSON", "{"), ("FORGE_USER_ID", "u")],
        );
        assert_eq!(
            parse("A=1\nFORGE_API_KEY: x").unwrap_err(),
            "line 2 is not of the form NAME=VALUE"
        );
    }
}
