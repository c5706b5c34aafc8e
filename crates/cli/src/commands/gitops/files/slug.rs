//! Names of folders.

use std::collections::BTreeSet;

/// Returns a folder's name for a thing's name, which differs from those that are taken. It is for people only: what counts
/// is the name in the file.
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
        .find(|slug| !taken.contains(slug));
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
}
