//! Texts of others, before anything is done with them.

use std::borrow::Cow;

/// Leaves out the control characters that no text of a model or a tool needs: databases refuse NUL, and terminals obey
/// the rest.
///
/// Line breaks and tabs stay.
///
/// It is asked for wherever such a text comes in: in [`crate::json`] while the JSON is read (what stands there as
/// `\u0000` is no character before), in [`crate::models::Pieces`], and for what tools answer.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    if text.contains(is_harmful) {
        Cow::Owned(text.chars().filter(|character| !is_harmful(*character)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

fn is_harmful(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\r' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_left_out_and_line_breaks_stay() {
        assert_eq!(harmless("a\0b\u{1b}[31m\u{7f}\u{9b}c\r\n\td"), "ab[31mc\r\n\td");
        assert!(matches!(harmless("Zoë 👩‍👧"), Cow::Borrowed("Zoë 👩‍👧")));
    }
}
