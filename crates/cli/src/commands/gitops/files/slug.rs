//! Names of folders and files that every file system takes, and takes for different ones.

use std::collections::BTreeSet;

use forge_domain::SetName;

/// Names that are devices on Windows, whatever follows after a full stop.
fn is_device(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_numbered = |kind: &str| {
        let number = name.strip_prefix(kind).unwrap_or_default();
        matches!(number.as_bytes(), [b'1'..=b'9'])
    };
    matches!(name.as_str(), "con" | "prn" | "aux" | "nul") || is_numbered("com") || is_numbered("lpt")
}

/// Returns the name of a set's file, without its extension, which differs from those that are taken also where capitals
/// do not count.
///
/// It is the set's own name wherever that can be.
pub(super) fn set_stem(name: &SetName, taken: &mut BTreeSet<String>) -> String {
    let plain = Some(name.to_string()).filter(|name| !is_device(name));
    // Of `con.2.json`, Windows takes `con` for the name.
    let rest = if plain.is_some() { "" } else { "set-" };
    let numbered = (2..).map(|number| format!("{rest}{name}.{number}"));
    let free = plain
        .into_iter()
        .chain(numbered)
        .find(|stem| !taken.contains(&stem.to_ascii_lowercase()));
    let stem = free.unwrap_or_default();
    taken.insert(stem.to_ascii_lowercase());
    stem
}

/// Returns a folder's name for a thing's name, which differs from those that are taken.
///
/// It is for people only: what counts is the name in the file.
pub(super) fn slug(name: &str, taken: &mut BTreeSet<String>) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() || c == '_' {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    // Not longer than file systems take, with room for a number.
    slug.truncate(80);
    let slug = slug.trim_end_matches('-');
    let slug = if slug.is_empty() { "unnamed" } else { slug };
    let numbered = (2..).map(|number| format!("{slug}-{number}"));
    let free = std::iter::once(slug.to_owned())
        .chain(numbered)
        .find(|slug| !taken.contains(slug) && !is_device(slug));
    let slug = free.unwrap_or_default();
    taken.insert(slug.clone());
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_folders_that_differ() {
        let mut taken = BTreeSet::new();
        let names = ["Dental care", "dental/CARE!", "../..", "", "Größe 1", "a_b"];
        let slugs = names.map(|name| slug(name, &mut taken));
        assert_eq!(
            slugs,
            [
                "dental-care",
                "dental-care-2",
                "unnamed",
                "unnamed-2",
                "gr-e-1",
                "a_b"
            ]
        );
        assert!(slug(&"é1".repeat(300), &mut taken).len() <= 80);
    }

    #[test]
    fn names_that_are_devices_become_others() {
        let mut taken = BTreeSet::new();
        assert_eq!(slug("Con", &mut taken), "con-2");
        assert_eq!(slug("lpt1", &mut taken), "lpt1-2");
        assert_eq!(slug("com10", &mut taken), "com10");
    }

    #[test]
    fn files_of_sets_differ_where_capitals_do_not_count() {
        let mut taken = BTreeSet::new();
        let names = [
            "Hotfix", "hotfix", "HOTFIX", "release", "nul", "NUL", "Com1", "com",
        ];
        let stems = names.map(|name| set_stem(&name.parse().unwrap(), &mut taken));
        assert_eq!(
            stems,
            [
                "Hotfix",
                "hotfix.2",
                "HOTFIX.3",
                "release",
                "set-nul.2",
                "set-NUL.3",
                "set-Com1.2",
                "com"
            ]
        );
        let lower: BTreeSet<String> = stems.iter().map(|stem| stem.to_lowercase()).collect();
        assert_eq!(lower.len(), stems.len());
    }
}
