//! Characters that nobody sees, or that reorder what is around them; and texts for people that show them.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_properties::UnicodeEmoji as _;

/// The flags whose sequences have invisible characters, after the black flag with which they begin.
const FLAGS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];

const BLACK_FLAG: char = '\u{1F3F4}';
const END_OF_FLAG: char = '\u{E007F}';
const NON_JOINER: char = '\u{200C}';
const JOINER: char = '\u{200D}';

/// Returns a text for people in which everything can be seen: what is hidden in it is written as `\u{202e}`. Line breaks
/// and tabs stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    let mut found = hidden(text)
        .filter(|(_, char)| !matches!(char, '\n' | '\t'))
        .peekable();
    if found.peek().is_none() {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for (at, char) in text.chars().enumerate() {
        if found.next_if(|(hidden, _)| *hidden == at).is_some() {
            // Writing to a string cannot fail.
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(char));
        } else {
            shown.push(char);
        }
    }
    shown.into()
}

/// Returns the same of a text that was made for the purpose.
pub(crate) fn shown(text: String) -> String {
    match visible(&text) {
        Cow::Owned(shown) => shown,
        Cow::Borrowed(_) => text,
    }
}

/// Returns the characters of a text that nobody sees, each with its position, in characters: control and format
/// characters, and everything else that shows nothing by itself. Those that belong to an emoji are not among them, nor
/// the joiners between letters of scripts that write with them.
pub fn hidden(text: &str) -> impl Iterator<Item = (usize, char)> {
    let may_be_hidden = text.chars().any(is_hidden);
    let chars: Vec<char> = if may_be_hidden {
        text.chars().collect()
    } else {
        Vec::new()
    };
    (0..chars.len()).filter_map(move |at| {
        let char = chars[at];
        (is_hidden(char) && !is_meant(&chars, at)).then_some((at, char))
    })
}

/// Tells whether a character shows nothing, though it is no blank, or changes the order of others.
fn is_hidden(char: char) -> bool {
    // Most texts are over after this.
    if matches!(char, ' '..='~') {
        return false;
    }
    char.is_control()
        || matches!(
            char,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{70F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
                | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
                | '\u{FFF0}'..='\u{FFFB}' | '\u{110BD}' | '\u{110CD}' | '\u{13430}'..='\u{1343F}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
                | '\u{E0000}'..='\u{E0FFF}'
        )
}

/// Tells whether a character leaves its place empty without being a blank by its properties.
pub(crate) fn is_blank(char: char) -> bool {
    char == '\u{2800}' || is_hidden(char)
}

/// Tells whether a hidden character does what it is there for.
fn is_meant(chars: &[char], at: usize) -> bool {
    let (before, after) = (&chars[..at], &chars[at + 1..]);
    match chars[at] {
        JOINER => joins_emoji(before, after) || joins_letters(before, after),
        NON_JOINER => joins_letters(before, after),
        '\u{FE0E}' | '\u{FE0F}' => selects_emoji(before, after),
        '\u{E0020}'..=END_OF_FLAG => is_of_flag(chars, at),
        _ => false,
    }
}

fn joins_emoji(before: &[char], after: &[char]) -> bool {
    let before = match before {
        [before @ .., '\u{FE0F}'] | before => before,
    };
    let is_emoji = |char: Option<&char>| char.is_some_and(|char| !char.is_ascii() && char.is_emoji_char());
    is_emoji(before.last()) && is_emoji(after.first())
}

fn selects_emoji(before: &[char], after: &[char]) -> bool {
    before.last().is_some_and(|char| {
        let is_key = char.is_ascii() && after.first() == Some(&'\u{20E3}');
        char.is_emoji_char() && (!char.is_ascii() || is_key)
    })
}

/// Scripts whose letters join, or stack, unless they are told otherwise: the Arabic ones, and those of India.
fn joins_letters(before: &[char], after: &[char]) -> bool {
    let joins = |char: Option<&char>| {
        char.is_some_and(|char| {
            matches!(char, '\u{620}'..='\u{6D3}' | '\u{750}'..='\u{77F}' | '\u{8A0}'..='\u{8E1}' | '\u{900}'..='\u{DFF}')
        })
    };
    joins(before.last()) && joins(after.first())
}

fn is_of_flag(chars: &[char], at: usize) -> bool {
    let Some(start) = chars[..at].iter().rposition(|char| *char == BLACK_FLAG) else {
        return false;
    };
    let rest = &chars[start + 1..];
    let is_flag = |name: &&'static str| {
        let tags = name
            .bytes()
            .filter_map(|byte| char::from_u32(0xE0000 + u32::from(byte)));
        let tags: Vec<char> = tags.chain([END_OF_FLAG]).collect();
        rest.starts_with(&tags) && at <= start + tags.len()
    };
    FLAGS.iter().any(is_flag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_in_a_text_for_people_is_shown() {
        assert_eq!(
            visible("`Dental \u{202e}erac\u{202c}`"),
            r"`Dental \u{202e}erac\u{202c}`"
        );
        assert_eq!(
            visible("a\u{200b}\u{feff}\u{2029}b\u{e0041}"),
            r"a\u{200b}\u{feff}\u{2029}b\u{e0041}"
        );
        assert_eq!(visible("\u{1b}[2J\u{0}"), r"\u{1b}[2J\u{0}");
        assert_eq!(visible("a\nb\tc"), "a\nb\tc");
    }

    #[test]
    fn texts_without_anything_hidden_are_not_copied() {
        for text in [
            "plain",
            "Köln, 日本語",
            "👨\u{200d}👩\u{200d}👧 ❤\u{fe0f} 1\u{fe0f}\u{20e3}",
            "می\u{200c}خواهم",
        ] {
            assert!(
                matches!(visible(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }

    #[test]
    fn a_flag_ends_where_it_ends() {
        let flag = "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}";
        assert_eq!(hidden(flag).count(), 0);
        let more = format!("{flag}\u{e0068}\u{e0069}");
        assert_eq!(hidden(&more).map(|(at, _)| at).collect::<Vec<_>>(), [7, 8]);
    }
}
