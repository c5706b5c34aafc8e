//! Texts of others.
//!
//! What somebody reviews must be what is there. So whatever could break a line or speak to a terminal becomes a blank, and
//! whatever is not seen, or changes the order of what is seen, is shown by its number.

use std::borrow::Cow;
use std::fmt::Write as _;

use forge_domain::hidden;

/// How many characters of a message are told.
const TOLD: usize = 2000;

/// Returns the beginning of a message, and how much was left out.
///
/// Others may have written it.
pub(crate) fn cut(text: &str) -> Cow<'_, str> {
    let Some((end, _)) = text.char_indices().nth(TOLD) else {
        return Cow::Borrowed(text);
    };
    let (told, rest) = text.split_at(end);
    Cow::Owned(format!("{told}… ({} more characters)", rest.chars().count()))
}

/// Returns a text without what could break a line, a field or a terminal: each control character becomes a blank.
///
/// What would not be seen is shown as `\u{202e}`.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for (c, is_hidden) in looked_at(text) {
        if c.is_control() {
            plain.push(' ');
        } else if is_hidden {
            // Writing to a text cannot fail.
            let _ = write!(plain, "\\u{{{:x}}}", u32::from(c));
        } else {
            plain.push(c);
        }
    }
    plain
}

/// Returns a text with one blank for each run of them, as tables show it: what follows many would begin a line of its
/// own at a terminal, and read like one of ours.
pub(crate) fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns a JSON document with every control character escaped, also those that JSON admits, and everything that would
/// not be seen.
///
/// It says the same.
pub(crate) fn escaped_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for (c, is_hidden) in looked_at(json) {
        if is_hidden && !matches!(c, '\n' | '\t' | '\r') {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a text cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Returns the characters of a text, each with whether nobody would see it.
fn looked_at(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut found = hidden(text).peekable();
    text.chars()
        .enumerate()
        .map(move |(at, c)| (c, found.next_if(|(place, _)| *place == at).is_some()))
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
    use super::*;

    #[test]
    fn a_run_of_blanks_is_one() {
        let text = format!(
            "rolled back: ok{}done:\u{2003}\t\n it is at revision 4 ",
            " ".repeat(25)
        );
        assert_eq!(folded(&text), "rolled back: ok done: it is at revision 4");
    }

    #[test]
    fn of_a_long_message_the_beginning_is_told() {
        let long = "é".repeat(TOLD);
        assert_eq!(cut(&long), long);
        assert_eq!(cut(&format!("{long}xyz")), format!("{long}… (3 more characters)"));
    }

    #[test]
    fn names_are_quoted_for_shells() {
        assert_eq!(quoted("release"), "release");
        assert_eq!(quoted("Dental care"), "'Dental care'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn a_document_stays_the_same_and_says_nothing_to_the_terminal() {
        let json = "{\n  \"a\": \"x\u{9b}31m\u{7f}é\u{202e}\u{e0041}\"\n}";
        let escaped = escaped_json(json);
        assert_eq!(
            escaped,
            "{\n  \"a\": \"x\\u009b31m\\u007fé\\u202e\\udb40\\udc41\"\n}"
        );
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&escaped), read(json));
    }

    #[test]
    fn nothing_speaks_to_the_terminal() {
        assert_eq!(plain("a\tb\nc\u{1b}[31md\u{9b}e"), "a b c [31md e");
        assert_eq!(plain("Größe 1 — ✓"), "Größe 1 — ✓");
    }

    #[test]
    fn what_is_not_seen_or_reorders_what_is_seen_is_shown() {
        assert_eq!(
            plain("Dental \u{202e}erac\u{202c}\u{200b}"),
            "Dental \\u{202e}erac\\u{202c}\\u{200b}"
        );
        let ranges = [
            0xad..=0xad,
            0x61c..=0x61c,
            0x200b..=0x200f,
            0x2028..=0x202e,
            0x2060..=0x2069,
            0xfeff..=0xfeff,
            0xe0000..=0xe007f,
            0xe0100..=0xe01ef,
        ];
        for number in ranges.into_iter().flatten() {
            let c = char::from_u32(number).unwrap();
            let shown = plain(&format!("a{c}b"));
            assert_eq!(shown, format!("a\\u{{{number:x}}}b"));
            let json = escaped_json(&format!("\"a{c}b\""));
            assert!(json.is_ascii(), "{json}");
        }
    }

    #[test]
    fn one_line_stays_one_line() {
        let text = plain("a\u{2028}b\u{2029}c\u{85}d\re\u{b}f");
        assert_eq!(text, "a\\u{2028}b\\u{2029}c d e f");
    }

    #[test]
    fn a_symbol_may_be_coloured_and_nothing_else_hides_behind_it() {
        assert_eq!(plain("⚠\u{fe0f} ok"), "⚠\u{fe0f} ok");
        assert_eq!(plain("⚠\u{fe0f}\u{fe0f}"), "⚠\u{fe0f}\\u{fe0f}");
        assert_eq!(plain("a\u{fe0f}"), "a\\u{fe0f}");
        assert_eq!(plain("é\u{fe0f}"), "é\\u{fe0f}");
    }
}
