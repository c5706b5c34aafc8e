//! Names that somebody may have meant.

use std::collections::HashSet;

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
pub(crate) fn each_once<'n>(names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
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
}
