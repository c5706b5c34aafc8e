//! Names that people give to things: one name looks one way, and every name can be seen.
//!
//! Names are kept in Unicode's composed form (NFC), so that what looks the same is the same: for uniqueness, for
//! conditions of grants, for filters. Only new names are held to this; what is there stays as it is.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::agent::MAX_NAME_LENGTH;
use crate::visible::{hidden, is_blank};

/// How many characters a fault names at the most.
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
    let shows = |char: char| !char.is_whitespace() && !is_blank(char) && !is_combining_mark(char);
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
    match name.rsplit_once('@') {
        Some((_, end)) if end == "latest" || (!end.is_empty() && end.bytes().all(|b| b.is_ascii_digit())) => {
            Err(BadName::LikeAVersion(format!("@{end}")))
        }
        _ => Ok(name),
    }
}

/// The blank of most scripts, and that of East Asian ones.
fn is_plain_blank(char: char) -> bool {
    char == ' ' || char == '\u{3000}'
}

/// Returns a name as it is kept, without a look at what is in it: for comparing and for finding.
pub fn composed(name: &str) -> String {
    name.nfc().collect()
}

/// Tells whether two names look the same: however they are spelled, they are one name.
pub fn is_same(name: &str, other: &str) -> bool {
    name == other || name.nfc().eq(other.nfc())
}

/// Returns how a name may be written in things that were there before names were composed: as it is kept first, and
/// decomposed if that is another text.
pub fn spellings(name: &str) -> Vec<String> {
    let mut spellings = vec![composed(name)];
    let decomposed: String = name.nfd().collect();
    if decomposed != spellings[0] {
        spellings.push(decomposed);
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
    }

    #[test]
    fn a_name_is_found_however_an_editor_spells_it() {
        assert!(is_same("Caf\u{e9}", "Cafe\u{301}") && is_same("Mira", "Mira"));
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
        for name in ["", " ", "\u{3000}", "\u{301}", "\u{2800}"] {
            assert_eq!(new_name(name), Err(BadName::Invisible), "{name:?}");
        }
    }

    #[test]
    fn an_agents_name_does_not_end_like_a_version() {
        for name in ["Mira@3", "Mira@latest", "@1", "Mira@0"] {
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
