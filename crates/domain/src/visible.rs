//! Characters that nobody sees, or that reorder what is around them; and texts for people that show them.

use std::borrow::Cow;
use std::fmt::Write as _;

use icu_properties::props::{
    DefaultIgnorableCodePoint, GeneralCategory as Category, IndicSyllabicCategory, JoiningType, Script,
};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::char::canonical_combining_class;

use crate::emoji::emoji_places;

const NON_JOINER: char = '\u{200C}';
const JOINER: char = '\u{200D}';

/// The combining classes of what takes the vowel from a consonant in scripts of India, and of the dot below it.
const VIRAMA: u8 = 9;
const NUKTA: u8 = 7;

/// Signs that show nothing, though no property says so: blanks of Braille and of Egyptian, what stands for an object,
/// fillers and selectors of Khitan and Duployan, and a note without a head.
const EMPTY: [char; 7] = [
    '\u{2800}',
    '\u{FFFC}',
    '\u{13441}',
    '\u{13442}',
    '\u{16FE4}',
    '\u{1BC9D}',
    '\u{1D159}',
];

/// Returns a text for people in which everything can be seen: what is hidden in it is written as `\u{202e}`.
///
/// Line breaks and tabs stay.
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
/// characters, and everything else that shows nothing by itself.
///
/// Those that belong to an emoji are not among them, nor joiners where they change the shape of letters.
pub fn hidden(text: &str) -> impl Iterator<Item = (usize, char)> {
    let may_be_hidden = text.chars().any(is_hidden);
    let chars: Vec<char> = if may_be_hidden {
        text.chars().collect()
    } else {
        Vec::new()
    };
    let is_emoji = emoji_places(&chars);
    (0..chars.len()).filter_map(move |at| {
        let char = chars[at];
        let is_meant = || is_emoji[at] || shapes_letters(&chars, at);
        (is_hidden(char) && !is_meant()).then_some((at, char))
    })
}

/// Returns `true` if a character shows nothing, though it is no blank by its properties, or changes what is around it.
pub(crate) fn is_hidden(char: char) -> bool {
    // Most texts are over after this.
    if matches!(char, ' '..='~') {
        return false;
    }
    let category = CodePointMapData::<Category>::new().get(char);
    matches!(
        category,
        Category::Control | Category::Format | Category::LineSeparator | Category::ParagraphSeparator
    ) || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(char)
        || is_noncharacter(char)
        || EMPTY.contains(&char)
}

/// Those that never stand for anything: 32 in one place, and the last two of every plane.
fn is_noncharacter(char: char) -> bool {
    matches!(char, '\u{FDD0}'..='\u{FDEF}') || u32::from(char) & 0xFFFE == 0xFFFE
}

/// Returns `true` if a joiner changes the shape of the letters around it, by the rules for names in the Internet (RFC
/// 5892, A.1 and A.2), which admit it where it does.
fn shapes_letters(chars: &[char], at: usize) -> bool {
    let (before, after) = (&chars[..at], &chars[at + 1..]);
    match chars[at] {
        JOINER => stacking_letter(before).is_some(),
        NON_JOINER => {
            let next = after.first().map(|next| script(*next));
            let parts_a_stack = stacking_letter(before).is_some_and(|letter| Some(script(letter)) == next);
            parts_a_stack || parts_joined_letters(before, after)
        }
        _ => false,
    }
}

fn script(char: char) -> Script {
    CodePointMapData::<Script>::new().get(char)
}

/// Returns the letter whose vowel was taken, if a text ends with one.
fn stacking_letter(text: &[char]) -> Option<char> {
    let (virama, rest) = text.split_last()?;
    let (mut last, rest) = rest.split_last()?;
    if canonical_combining_class(*last) == NUKTA {
        last = rest.last()?;
    }
    let is_letter = CodePointMapData::<Category>::new().get(*last) == Category::OtherLetter;
    // Where a script stacks no letters, as that of Thai, what takes the vowel leaves them as they are.
    let kind = CodePointMapData::<IndicSyllabicCategory>::new().get(*virama);
    let stacks = canonical_combining_class(*virama) == VIRAMA && kind != IndicSyllabicCategory::PureKiller;
    (stacks && is_letter).then_some(*last)
}

/// Returns `true` if letters of a script like Arabic would join here, marks between them aside.
fn parts_joined_letters(before: &[char], after: &[char]) -> bool {
    let joining = |char: &char| CodePointMapData::<JoiningType>::new().get(*char);
    let is_letter = |joining: &JoiningType| *joining != JoiningType::Transparent;
    let left = before.iter().rev().map(joining).find(is_letter);
    let right = after.iter().map(joining).find(is_letter);
    matches!(left, Some(JoiningType::LeftJoining | JoiningType::DualJoining))
        && matches!(right, Some(JoiningType::RightJoining | JoiningType::DualJoining))
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
