//! Texts of others.

use std::fmt::Write as _;

/// Returns a text without what could break a line, a field or a terminal: each control character becomes a blank.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Returns a JSON document with every control character escaped, also those that JSON admits.
pub(super) fn escaped_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_control() && c != '\n' {
            // Writing to a text cannot fail.
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Returns a text as a shell takes it.
pub(crate) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if text.chars().all(is_plain) && !text.is_empty() {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_quoted_for_shells() {
        assert_eq!(super::quoted("release"), "release");
        assert_eq!(super::quoted("Dental care"), "'Dental care'");
        assert_eq!(super::quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn a_document_stays_the_same_and_says_nothing_to_the_terminal() {
        let json = "{\n  \"a\": \"x\u{9b}31m\u{7f}é\"\n}";
        let escaped = super::escaped_json(json);
        assert_eq!(escaped, "{\n  \"a\": \"x\\u009b31m\\u007fé\"\n}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&escaped), read(json));
    }

    #[test]
    fn nothing_speaks_to_the_terminal() {
        assert_eq!(super::plain("a\tb\nc\u{1b}[31md\u{9b}e"), "a b c [31md e");
        assert_eq!(super::plain("Größe 1 — ✓"), "Größe 1 — ✓");
    }
}
