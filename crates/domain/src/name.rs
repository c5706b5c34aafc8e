//! Names that people give to things: one name looks one way, and every name can be seen.
//!
//! Names are kept in Unicode's composed form (NFC), without the selectors of emoji, so that what looks the same is the same:
//! for uniqueness, for conditions of grants, for filters. Only new names are held to this; what is there stays as it is.

use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory as Category;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::agent::MAX_NAME_LENGTH;
use crate::emoji::{with_selectors, without_selectors};
use crate::visible::{hidden, is_hidden};

/// How many characters a fault names at most.
const MOST_NAMED: usize = 5;

/// A text is no name for something new.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// It has characters that nobody sees, or that reorder or imitate others.
    #[error(
        "a name must be seen as it is: leave out {}, and write blanks as U+0020",
        places(.0)
    )]
    Hidden(Vec<(usize, char)>),
    /// Nothing of it can be seen.
    #[error("a name needs at least one character that can be seen, such as a letter, a digit or an emoji")]
    Invisible,
    /// It has become too long.
    #[error("a name has at most {MAX_NAME_LENGTH} characters in its composed form (NFC); this one has {0}")]
    TooLong(usize),
    /// It ends like the mention of a version.
    #[error(
        "a new agent's or context graph's name must not end like a version, as `{0}` does: `NAME@3` means version 3 \
         of `NAME`; choose another ending"
    )]
    LikeAVersion(String),
}

fn places(found: &[(usize, char)]) -> String {
    let mut text: Vec<String> = found
        .iter()
        .take(MOST_NAMED)
        .map(|(at, char)| format!("U+{:04X} at position {}", u32::from(*char), at + 1))
        .collect();
    if found.len() > MOST_NAMED {
        text.push(format!("{} more", found.len() - MOST_NAMED));
    }
    text.join(", ")
}

impl BadName {
    /// Returns a stable word for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Hidden(_) => "hidden_character",
            Self::Invisible => "no_visible_character",
            Self::TooLong(_) => "too_long",
            Self::LikeAVersion(_) => "version_like_name",
        }
    }
}

/// Returns a new name as it is kept.
pub fn new_name(text: &str) -> Result<String, BadName> {
    let mut bad: Vec<(usize, char)> = hidden(text).collect();
    let blanks = text.chars().enumerate();
    bad.extend(
        blanks.filter(|(_, char)| char.is_whitespace() && !is_plain_blank(*char) && !char.is_control()),
    );
    bad.sort_unstable();
    bad.dedup();
    if !bad.is_empty() {
        return Err(BadName::Hidden(bad));
    }
    let shows = |char: char| !char.is_whitespace() && !is_hidden(char) && !is_combining_mark(char);
    if !text.chars().any(shows) {
        return Err(BadName::Invisible);
    }
    Ok(composed(text))
}

/// Returns the new name of an agent or a context graph as it is kept.
pub fn new_asset_name(text: &str) -> Result<String, BadName> {
    let name = new_name(text)?;
    // A few characters become more when they are composed.
    let length = name.chars().count();
    if length > MAX_NAME_LENGTH {
        return Err(BadName::TooLong(length));
    }
    match ending_like_a_version(&name) {
        Some(ending) => Err(BadName::LikeAVersion(ending)),
        None => Ok(name),
    }
}

/// Returns the end of a name that reads as a version, however it is written: wide, in capitals, in digits of any
/// script.
fn ending_like_a_version(name: &str) -> Option<String> {
    let plain = name.nfkc().collect::<String>().to_lowercase();
    let (_, end) = plain.rsplit_once('@')?;
    let version = end.trim_end();
    let is_number = !version.is_empty()
        && version
            .chars()
            .all(|char| category(char) == Category::DecimalNumber);
    let is_version = version == "latest" || is_number;
    is_version.then(|| format!("@{end}"))
}

fn category(char: char) -> Category {
    CodePointMapData::new().get(char)
}

/// The blank of most scripts, and that of East Asian ones.
fn is_plain_blank(char: char) -> bool {
    char == ' ' || char == '\u{3000}'
}

/// Returns a name as it is kept, without a look at what is in it: for comparing and for finding.
pub fn composed(name: &str) -> String {
    without_selectors(name).nfc().collect()
}

/// Returns `true` if two names look the same: however they are spelled, they are one name.
pub fn is_same(name: &str, other: &str) -> bool {
    name == other || without_selectors(name).nfc().eq(without_selectors(other).nfc())
}

/// Returns how a name may be written in things that were there before names were kept in one form: as it is kept first,
/// and then decomposed, and with the selectors with which emoji are sent, if those are other texts.
pub fn spellings(name: &str) -> Vec<String> {
    let kept = composed(name);
    let decomposed: String = kept.nfd().collect();
    let sent = with_selectors(&kept);
    let mut spellings = vec![kept];
    for spelling in [decomposed, sent] {
        if !spellings.contains(&spelling) {
            spellings.push(spelling);
        }
    }
    spellings
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_look_the_same_are_one_name() {
        assert_eq!(new_name("Cafe\u{301}").unwrap(), "Café");
        assert_eq!(new_name("Café"), new_name("Cafe\u{301}"));
        assert_eq!(new_name("\u{212B}").unwrap(), "Å");
        assert_eq!(spellings("Café"), ["Café", "Cafe\u{301}"]);
        assert_eq!(spellings("Mira"), ["Mira"]);
        for name in ["Team ❤\u{fe0f}", "Team ❤\u{fe0e}"] {
            assert_eq!(new_name(name).unwrap(), "Team ❤");
        }
        // Some send more selectors than are due.
        assert_eq!(new_name("⭐\u{fe0f}").unwrap(), "⭐");
        assert_eq!(
            spellings("Café ❤\u{fe0f}"),
            ["Café ❤", "Cafe\u{301} ❤", "Café ❤\u{fe0f}"]
        );
    }

    #[test]
    fn a_name_is_found_however_an_editor_spells_it() {
        assert!(is_same("Caf\u{e9}", "Cafe\u{301}") && is_same("Mira", "Mira"));
        assert!(is_same("❤", "❤\u{fe0f}") && !is_same("❤", "♥"));
        assert!(!is_same("Cafe", "Caf\u{e9}") && !is_same("Mira", "mira"));
    }

    #[test]
    fn names_of_all_scripts_and_emoji_are_names() {
        for name in [
            "Mira",
            "Dental care (v2) – Köln",
            "медсестра",
            "日本語　案内",
            "עוזר",
            "مساعد",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "क्\u{200c}ष",
            "ක්\u{200d}ර",
            "ന്\u{200d}",
            "क़्\u{200d}य",
            "กฺก",
            "က\u{1039}\u{200d}က",
            "ក\u{17d2}\u{200d}ក",
            "🧑🏻\u{200d}❤\u{fe0f}\u{200d}💋\u{200d}🧑🏼",
            "🏴\u{200d}☠\u{fe0f}",
            "Acme™ © 2 ☎",
            "👨\u{200d}👩\u{200d}👧",
            "👩🏽\u{200d}⚕\u{fe0f}",
            "❤\u{fe0f}\u{200d}🔥",
            "1\u{fe0f}\u{20e3}",
            "🇩🇪",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "🏳\u{fe0f}\u{200d}🌈",
            "a@b",
            "x@",
            "@",
        ] {
            assert_eq!(new_name(name).unwrap(), composed(name), "{name}");
        }
    }

    #[test]
    fn what_nobody_sees_is_named_with_its_place() {
        for (name, char) in [
            ("Dental \u{202e}erac\u{202c}", '\u{202e}'),
            ("a\u{200b}b", '\u{200b}'),
            ("a\u{200d}b", '\u{200d}'),
            ("\u{200d}👧", '\u{200d}'),
            ("می\u{200c}", '\u{200c}'),
            ("می\u{200d}خواهم", '\u{200d}'),
            ("ا\u{200c}ب", '\u{200c}'),
            ("م\u{200c}\u{200c}ب", '\u{200c}'),
            ("क\u{200d}ष", '\u{200d}'),
            ("क\u{200c}ष", '\u{200c}'),
            ("क्\u{200c}", '\u{200c}'),
            ("क्\u{200c}a", '\u{200c}'),
            ("a्\u{200d}b", '\u{200d}'),
            ("क्\u{200d}\u{200d}ष", '\u{200d}'),
            ("กฺ\u{200d}", '\u{200d}'),
            ("กฺ\u{200d}ก", '\u{200d}'),
            ("กฺ\u{200c}ก", '\u{200c}'),
            ("ກ\u{eba}\u{200d}ກ", '\u{200d}'),
            ("က\u{103a}\u{200d}က", '\u{200d}'),
            ("ᜃ\u{1714}\u{200d}ᜃ", '\u{200d}'),
            ("👧\u{200d}👧", '\u{200d}'),
            ("❤\u{fe0f}\u{fe0f}", '\u{fe0f}'),
            ("\u{fe0f}", '\u{fe0f}'),
            ("葛\u{e0100}", '\u{e0100}'),
            ("a\u{600}", '\u{600}'),
            ("a\u{605}", '\u{605}'),
            ("a\u{6dd}", '\u{6dd}'),
            ("a\u{8e2}", '\u{8e2}'),
            ("a\u{2800}b", '\u{2800}'),
            ("a\u{fffc}", '\u{fffc}'),
            ("a\u{fdd0}", '\u{fdd0}'),
            ("a\u{1fffe}", '\u{1fffe}'),
            ("a\u{13430}", '\u{13430}'),
            ("a\u{13441}", '\u{13441}'),
            ("a\u{16fe4}", '\u{16fe4}'),
            ("a\u{1bc9d}", '\u{1bc9d}'),
            ("a\u{1bca0}", '\u{1bca0}'),
            ("a\u{1bca3}", '\u{1bca3}'),
            ("a\u{1d159}", '\u{1d159}'),
            ("a\u{1d173}", '\u{1d173}'),
            ("1\u{fe0f}", '\u{fe0f}'),
            ("a\u{fe0f}", '\u{fe0f}'),
            ("🏴\u{e0067}\u{e007f}", '\u{e0067}'),
            ("x\u{e0041}", '\u{e0041}'),
            ("a\u{ad}b", '\u{ad}'),
            ("a\u{a0}b", '\u{a0}'),
            ("a\u{2003}b", '\u{2003}'),
            ("a\nb", '\n'),
            ("a\tb", '\t'),
            ("a\u{1b}[2Jb", '\u{1b}'),
            ("a\u{85}b", '\u{85}'),
            ("a\u{2028}b", '\u{2028}'),
            ("\u{feff}a", '\u{feff}'),
            ("\u{3164}a", '\u{3164}'),
        ] {
            let Err(BadName::Hidden(found)) = new_name(name) else {
                panic!("{name:?} is a name");
            };
            assert_eq!(found[0].1, char, "{name:?}");
        }
        let text = new_name("ab\u{202e}c").unwrap_err().to_string();
        assert!(text.contains("U+202E at position 3"), "{text}");
        let text = new_name(&"\u{200b}".repeat(9)).unwrap_err().to_string();
        assert!(text.contains("U+200B at position 5, 4 more"), "{text}");
        for name in ["", " ", "\u{3000}", "\u{301}"] {
            assert_eq!(new_name(name), Err(BadName::Invisible), "{name:?}");
        }
    }

    #[test]
    fn an_agents_name_does_not_end_like_a_version() {
        for name in [
            "Mira@3",
            "Mira@latest",
            "@1",
            "Mira@0",
            "Mira@LATEST",
            "Mira@Latest",
            "Mira@３",
            "Mira＠3",
            "Mira﹫ｌａｔｅｓｔ",
            "Mira@٣",
            "Mira@३",
            "Mira@3 ",
            "@𝟛",
        ] {
            assert!(
                matches!(new_asset_name(name), Err(BadName::LikeAVersion(_))),
                "{name}"
            );
        }
        for name in [
            "Mira",
            "mira@example.com",
            "Mira@",
            "@3 Mira",
            "Mira @ 3",
            "Mira@v3",
            "Mira@३x",
            "Mira@the latest",
            "Mira@3x",
        ] {
            assert_eq!(new_asset_name(name).unwrap(), name);
        }
    }

    #[test]
    fn a_name_that_grows_when_it_is_composed_is_still_measured() {
        assert_eq!(
            new_asset_name(&"\u{fb1d}".repeat(200)),
            Err(BadName::TooLong(400))
        );
    }

    proptest! {
        #[test]
        fn a_name_that_is_kept_is_a_name_and_stays_as_it_is(text in "\\PC{1,20}|[a-z\u{200b}-\u{200f}é\u{301}👧🏽@0-9 ]{1,12}") {
            if let Ok(name) = new_name(&text) {
                prop_assert_eq!(new_name(&name), Ok(name.clone()));
                prop_assert!(spellings(&text).contains(&name));
            }
        }
    }
}
