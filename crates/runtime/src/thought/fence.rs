//! What may stand before a thought: blanks, and the beginning of a code fence.

use super::mark::MOST_ATTRIBUTES;

/// Returns a text without the blanks at its beginning, and without what nobody sees there.
pub(super) fn without_blanks(text: &str) -> &str {
    let is_unseen =
        |c| matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{ad}');
    text.trim_start_matches(|c: char| c.is_whitespace() || is_unseen(c))
}

/// Returns the beginning of a code fence that a text begins with: its strokes.
///
/// Fewer than three may become some.
pub(super) fn strokes(text: &str) -> &str {
    let Some(stroke @ ('`' | '~')) = text.chars().next() else {
        return "";
    };
    &text[..text.len() - text.trim_start_matches(stroke).len()]
}

/// Returns what a code fence begins with that a text begins with, up to what stands in it.
pub(super) fn fence(text: &str) -> &str {
    let strokes = strokes(text);
    if strokes.len() < 3 {
        return "";
    }
    let rest = &text[strokes.len()..];
    let inside = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if rest.len() - inside.len() > MOST_ATTRIBUTES {
        return "";
    }
    &text[..text.len() - without_blanks(inside).len()]
}
