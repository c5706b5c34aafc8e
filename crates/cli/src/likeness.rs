//! Names that somebody may have meant.

use std::collections::HashSet;

use crate::error::Failure;

/// How many names are suggested.
const LISTED: usize = 10;

/// Returns the names that are like the one that was typed, the most alike first, each once.
pub(crate) fn alike<'n>(typed: &str, names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let typed = typed.to_lowercase();
    let mut found: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| Some((distance(&typed, &name.to_lowercase())?, name)))
        .collect();
    found.sort_by_key(|(distance, _)| *distance);
    each_once(found.into_iter().map(|(_, name)| name))
}

/// Returns the names in their order, without those that came before: inactive things may be called alike.
fn each_once<'n>(names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let mut seen = HashSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}

/// Returns the names that somebody may have meant who typed a new one.
///
/// Names that go on, or that differ in their numbers only, are given on purpose.
pub(crate) fn slips<'n>(typed: &str, names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let digit = |c: char| c.is_ascii_digit();
    let is_meant = |name: &str| {
        let is_numbered = typed.contains(digit) && name.contains(digit);
        is_numbered && typed.replace(digit, "") == name.replace(digit, "")
    };
    let is_slip = |name: &&str| {
        let (typed, name) = (typed.to_lowercase(), name.to_lowercase());
        strsim::damerau_levenshtein(&typed, &name) <= most(&typed, &name)
    };
    let found = alike(typed, names).into_iter();
    found.filter(is_slip).filter(|name| !is_meant(name)).collect()
}

/// Returns how far apart two names are at most of which one may be taken for the other.
fn most(typed: &str, name: &str) -> usize {
    let length = |text: &str| text.chars().count();
    (length(typed).min(length(name)) / 3).clamp(1, 3)
}

/// Returns how far apart two names are, or `None` if nobody would take one for the other.
fn distance(typed: &str, name: &str) -> Option<usize> {
    let length = |text: &str| text.chars().count();
    let shorter = length(typed).min(length(name));
    let distance = strsim::damerau_levenshtein(typed, name);
    let is_part = shorter >= 2 && (name.contains(typed) || typed.contains(name));
    let is_slip = distance <= most(typed, name) && shorter >= 2;
    (is_part || is_slip || distance == 0).then_some(distance)
}

/// What things of a kind are called in messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// More than one of them, such as `services`.
    pub(crate) plural: &'static str,
    /// What has none of them, as a sentence.
    pub(crate) none: &'static str,
}

/// Adds what may have been meant to a failure, or else what there is.
pub(crate) fn suggest(failure: Failure, typed: &str, names: &[&str], kind: Kind) -> Failure {
    let listed = |names: &[&str], between: &str| {
        let names = names.iter().take(LISTED).map(|name| format!("`{name}`"));
        names.collect::<Vec<_>>().join(between)
    };
    let alike = alike(typed, names.iter().copied());
    if !alike.is_empty() {
        return failure.hint(format!("did you mean {}?", listed(&alike, " or ")));
    }
    let names = &each_once(names.iter().copied());
    if names.is_empty() {
        return failure.hint(kind.none);
    }
    let more = if names.len() > LISTED { ", …" } else { "" };
    failure.hint(format!("the {} are {}{more}", kind.plural, listed(names, ", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_fingers_capitals_and_parts_are_alike() {
        let names = [
            "Mira",
            "Nora",
            "Dental care",
            "release",
            "preview",
            "personal-alex",
        ];
        let found = |typed| alike(typed, names);
        assert_eq!(found("mira"), ["Mira"]);
        assert_eq!(found("Mirra"), ["Mira"]);
        assert_eq!(found("Mria"), ["Mira"]);
        assert_eq!(found("Dental"), ["Dental care"]);
        assert_eq!(found("Dental care clinic"), ["Dental care"]);
        assert_eq!(found("realease"), ["release"]);
        assert_eq!(found("personal-aelx"), ["personal-alex"]);
        assert!(found("Zoe").is_empty());
        assert!(found("edge").is_empty());
        assert!(found("x").is_empty());
    }

    #[test]
    fn the_most_alike_comes_first() {
        assert_eq!(alike("svc 3", ["svcc 3", "SVC 3", "svc 33"])[0], "SVC 3");
    }

    #[test]
    fn where_nothing_is_alike_all_names_are_told() {
        let kind = Kind {
            plural: "agents",
            none: "there is none",
        };
        let hint =
            |typed: &str, names: &[&str]| suggest(Failure::failed("x"), typed, names, kind).hints.remove(0);
        assert_eq!(hint("zzz", &["Mira", "Nora"]), "the agents are `Mira`, `Nora`");
        let many: Vec<String> = (0..11).map(|number| format!("Mira {number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(hint("zzz", &many).matches("Mira").count(), 10);
        assert!(hint("zzz", &many).ends_with(", …"));
        assert_eq!(hint("Mirra", &["Mira", "Nora"]), "did you mean `Mira`?");
        assert_eq!(hint("x", &[]), "there is none");
        let namesakes = ["Dental care", "Nora", "Dental care", "Dental care", "Nora"];
        assert_eq!(hint("Dental caer", &namesakes), "did you mean `Dental care`?");
        assert_eq!(hint("zzz", &namesakes), "the agents are `Dental care`, `Nora`");
    }
}
