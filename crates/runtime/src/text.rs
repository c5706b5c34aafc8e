//! Texts of others, before anything is done with them.

use std::borrow::Cow;

use serde_json::Value;

/// Leaves out the control characters that no text of a model or a tool needs: databases refuse NUL, and terminals obey
/// the rest. Line breaks and tabs stay.
///
/// It is asked for wherever such a text comes in: in [`crate::answer`] after the JSON was read (what stands there as
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

/// Does the same to every text in a JSON value, names of fields included.
pub(crate) fn make_harmless(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(better) = harmless(text) {
                *text = better;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(make_harmless),
        Value::Object(fields) => {
            fields.values_mut().for_each(make_harmless);
            if fields.keys().any(|name| name.contains(is_harmful)) {
                let old = std::mem::take(fields);
                fields.extend(old.into_iter().map(|(name, value)| match harmless(&name) {
                    Cow::Owned(better) => (better, value),
                    Cow::Borrowed(_) => (name, value),
                }));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn control_characters_are_left_out_and_line_breaks_stay() {
        assert_eq!(harmless("a\0b\u{1b}[31m\u{7f}\u{9b}c\r\n\td"), "ab[31mc\r\n\td");
        assert!(matches!(harmless("Zoë 👩‍👧"), Cow::Borrowed("Zoë 👩‍👧")));
    }

    #[test]
    fn every_text_of_a_value_is_made_harmless() {
        let mut value = json!({"a\0": ["b\u{7}", {"c": "d\0e", "f": 1}], "g": null});
        make_harmless(&mut value);
        assert_eq!(value, json!({"a": ["b", {"c": "de", "f": 1}], "g": null}));
    }
}
