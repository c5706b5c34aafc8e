//! Which of several names somebody may have meant by another.

/// Names longer than this are like none.
const LONGEST: usize = 64;

/// Returns a name without what people write differently: `dry_run`, `dryRun` and `Dry-Run` are one.
pub(super) fn bare(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.take(LONGEST + 1).flat_map(char::to_lowercase).collect()
}

/// Returns the name that is most like a given one, if one is like it at all.
pub(super) fn nearest<'n>(given: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let given = bare(given);
    if given.len() > LONGEST {
        return None;
    }
    let tolerated = given.len().div_ceil(4).min(3);
    let measured = names
        .into_iter()
        .map(|name| (strsim::levenshtein(&given, &bare(name)), name));
    measured
        .filter(|(distance, name)| *distance <= tolerated && *distance < name.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_written_otherwise_is_found() {
        let names = ["dry_run", "plan_digest", "source", "to_revision", "If-Match"];
        for (given, meant) in [
            ("dryRun", "dry_run"),
            ("Dry-Run", "dry_run"),
            ("dry_rum", "dry_run"),
            ("plan_digset", "plan_digest"),
            ("sources", "source"),
            ("toRevision", "to_revision"),
            ("if_match", "If-Match"),
        ] {
            assert_eq!(nearest(given, names), Some(meant), "{given}");
        }
        for given in ["", "x", "subject", "limit", &"dry_run".repeat(100)] {
            assert_eq!(nearest(given, names), None, "{given}");
        }
    }
}
