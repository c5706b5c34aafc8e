//! Version constraints of tools, in the form that the contract names: Python's version specifiers.
//!
//! Versions are numbers with dots between them. Pre-releases and the like are not versions here, so `===` is the same as
//! `==`.

use std::cmp::Ordering;

/// Returns `true` if a text is a version.
pub(super) fn is_version(text: &str) -> bool {
    parse(text).is_some()
}

/// Returns `true` if a version satisfies every part of a constraint, such as `>=1.2,<2`.
///
/// A constraint that cannot be read is satisfied by nothing; an empty one, or `*`, by everything.
pub(crate) fn satisfies(version: &str, constraint: &str) -> bool {
    let Some(version) = parse(version) else {
        return false;
    };
    let parts = constraint
        .split(',')
        .map(str::trim)
        .filter(|part| !matches!(*part, "" | "*"));
    parts
        .map(|part| fits(&version, part))
        .all(|fits| fits == Some(true))
}

fn parse(text: &str) -> Option<Vec<u64>> {
    let text = text.trim();
    let text = text.strip_prefix('v').unwrap_or(text);
    text.split('.').map(|number| number.parse().ok()).collect()
}

fn fits(version: &[u64], part: &str) -> Option<bool> {
    let end = part.find(|character: char| !"=!<>~".contains(character))?;
    let (operator, text) = part.split_at(end);
    let text = text.trim();
    if let Some(prefix) = text.strip_suffix(".*") {
        let prefix = parse(prefix)?;
        let has_prefix = prefix
            .iter()
            .enumerate()
            .all(|(index, number)| version.get(index).unwrap_or(&0) == number);
        return match operator {
            "==" | "===" | "" => Some(has_prefix),
            "!=" => Some(!has_prefix),
            _ => None,
        };
    }
    let wanted = parse(text)?;
    let order = compare(version, &wanted);
    Some(match operator {
        // A bare number is no specifier, but what it means is plain.
        "==" | "===" | "" => order.is_eq(),
        "!=" => order.is_ne(),
        "<=" => order.is_le(),
        "<" => order.is_lt(),
        ">=" => order.is_ge(),
        ">" => order.is_gt(),
        "~=" => {
            let (_, series) = wanted.split_last().filter(|(_, series)| !series.is_empty())?;
            let is_same_series = series
                .iter()
                .enumerate()
                .all(|(index, number)| version.get(index).unwrap_or(&0) == number);
            order.is_ge() && is_same_series
        }
        _ => return None,
    })
}

/// Compares number by number; missing ones are 0.
fn compare(left: &[u64], right: &[u64]) -> Ordering {
    let length = left.len().max(right.len());
    let number = |version: &[u64], index: usize| version.get(index).copied().unwrap_or(0);
    (0..length)
        .map(|index| number(left, index).cmp(&number(right, index)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_mean_what_python_says() {
        for (version, constraint, expected) in [
            ("1", "", true),
            ("1", "*", true),
            ("1", "==1.0", true),
            ("1", ">=1,<2", true),
            ("2", ">=1,<2", false),
            ("1.10", ">1.9", true),
            ("1.4.5", "~=1.4", true),
            ("2.0", "~=1.4", false),
            ("1.4.5", "~=1.4.2", true),
            ("1.5", "~=1.4.2", false),
            ("1.4", "==1.*", true),
            ("1.4", "!=1.*", false),
            ("1.4", "!= 1.3", true),
            ("1", "1", true),
            ("1", "~=1", false),
            ("1", ">=one", false),
            ("1", "=>1", false),
        ] {
            assert_eq!(satisfies(version, constraint), expected, "{version} {constraint}");
        }
    }
}
