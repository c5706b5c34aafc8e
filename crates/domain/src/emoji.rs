//! Emoji of several characters, some of which show nothing by themselves.

use icu_properties::CodePointSetData;
use icu_properties::props::Emoji;

/// The most characters that an emoji has, selectors aside.
const MOST: usize = 10;

/// Returns `true` if a character makes text or a picture of the one before it.
fn is_selector(char: char) -> bool {
    matches!(char, '\u{FE0E}' | '\u{FE0F}')
}

/// Returns of each character of a text whether it belongs to an emoji of several characters.
pub(crate) fn emoji_places(chars: &[char]) -> Vec<bool> {
    let mut is_emoji: Vec<bool> = (0..chars.len()).map(|at| selects(chars, at)).collect();
    // Wherever selectors stand, it is the same emoji.
    let places: Vec<usize> = (0..chars.len()).filter(|at| !is_selector(chars[*at])).collect();
    let bare: Vec<char> = places.iter().map(|at| chars[*at]).collect();
    let mut at = 0;
    while at < bare.len() {
        let length = emoji(&bare[at..]).map_or(1, |(length, _)| length);
        for place in &places[at..at + length] {
            is_emoji[*place] |= length > 1;
        }
        at += length;
    }
    is_emoji
}

/// Returns `true` if a character is a selector for the one before it.
fn selects(chars: &[char], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|before| chars[before]) else {
        return false;
    };
    let is_key = before.is_ascii() && chars.get(at + 1) == Some(&'\u{20E3}');
    is_selector(chars[at])
        && CodePointSetData::new::<Emoji>().contains(before)
        && (!before.is_ascii() || is_key)
}

/// Returns the longest emoji of several characters with which a text without selectors begins, and how many they are.
fn emoji(chars: &[char]) -> Option<(usize, &'static emojis::Emoji)> {
    // No others come second. Most texts are over after this.
    if !matches!(
        chars.get(1)?,
        '\u{200D}' | '\u{20E3}' | '\u{1F3FB}'..='\u{1F3FF}' | '\u{E0020}'..='\u{E007F}'
    ) {
        return None;
    }
    (2..=chars.len().min(MOST)).rev().find_map(|length| {
        let text: String = chars[..length].iter().collect();
        emojis::get(&text).map(|emoji| (length, emoji))
    })
}

/// Returns the characters of a text without selectors: with them and without, it is the same emoji.
pub(crate) fn without_selectors(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().filter(|char| !is_selector(*char))
}

/// Returns a text with selectors where emoji are sent with them.
pub(crate) fn with_selectors(text: &str) -> String {
    let chars: Vec<char> = without_selectors(text).collect();
    let (mut whole, mut at) = (String::new(), 0);
    while at < chars.len() {
        let one = || emojis::get(chars[at].encode_utf8(&mut [0; 4])).map(|emoji| (1, emoji));
        let found = emoji(&chars[at..]).or_else(one);
        let length = found.map_or(1, |(length, _)| length);
        let bare = &chars[at..at + length];
        // The table takes some couples for those of another colour.
        let sent = found
            .map(|(_, emoji)| emoji.as_str())
            .filter(|sent| without_selectors(sent).eq(bare.iter().copied()));
        match sent {
            Some(sent) => whole.push_str(sent),
            None => whole.extend(bare),
        }
        at += length;
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_emoji_is_one_however_it_is_sent() {
        let toned = emojis::iter().filter_map(emojis::Emoji::skin_tones).flatten();
        for emoji in emojis::iter().chain(toned) {
            let sent = emoji.as_str();
            let bare: String = without_selectors(sent).collect();
            assert!(
                without_selectors(&with_selectors(&bare)).eq(bare.chars()),
                "{}",
                emoji.name()
            );
            assert!(bare.chars().count() <= MOST, "{}", emoji.name());
            for text in [sent, &bare] {
                assert_eq!(crate::visible::hidden(text).count(), 0, "{}", emoji.name());
            }
        }
    }

    #[test]
    fn selectors_come_back_where_emoji_are_sent_with_them() {
        for sent in [
            "❤\u{fe0f}",
            "👩🏽\u{200d}⚕\u{fe0f}",
            "1\u{fe0f}\u{20e3}",
            "👧",
            "a",
            "🏳\u{fe0f}\u{200d}🌈!",
        ] {
            let bare: String = without_selectors(sent).collect();
            assert_eq!(with_selectors(&bare), sent);
        }
    }

    #[test]
    fn an_emoji_ends_where_it_ends() {
        let places = |text: &str| emoji_places(&text.chars().collect::<Vec<_>>());
        assert_eq!(places("👧\u{200d}👧"), [false; 3], "nobody knows that one");
        assert_eq!(places("a❤\u{fe0f}\u{fe0f}"), [false, false, true, false]);
        assert_eq!(places("©\u{fe0f}3\u{fe0f}"), [false, true, false, false]);
        assert_eq!(places("❤\u{200d}🔥"), [true; 3]);
        assert_eq!(
            places("❤\u{fe0f}\u{200d}🔥\u{fe0f}\u{200d}"),
            [true, true, true, true, true, false]
        );
    }
}
