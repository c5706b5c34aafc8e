//! Texts of others.

/// Returns a text without what could break a line, a field or a terminal: each control character becomes a blank.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_speaks_to_the_terminal() {
        assert_eq!(super::plain("a\tb\nc\u{1b}[31md\u{9b}e"), "a b c [31md e");
        assert_eq!(super::plain("Größe 1 — ✓"), "Größe 1 — ✓");
    }
}
