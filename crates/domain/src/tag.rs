//! Tags, and filters on them.

use indexmap::IndexMap;

/// Tags by key; a tag may have no value.
pub type Tags = IndexMap<String, Option<String>>;

/// A filter on tags: `key:value`, `key:*` for any value, `key:` for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagFilter {
    key: String,
    value: Wanted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Anything,
    Nothing,
    Exactly(String),
}

/// The text is no filter on tags.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected `key:value`, `key:*` for any value, or `key:` for a tag without one")]
pub struct InvalidTagFilter;

impl std::str::FromStr for TagFilter {
    type Err = InvalidTagFilter;

    fn from_str(text: &str) -> Result<Self, InvalidTagFilter> {
        let (key, value) = text.split_once(':').ok_or(InvalidTagFilter)?;
        if key.is_empty() {
            return Err(InvalidTagFilter);
        }
        let value = match value {
            "*" => Wanted::Anything,
            "" => Wanted::Nothing,
            value => Wanted::Exactly(value.to_owned()),
        };
        Ok(Self {
            key: key.to_owned(),
            value,
        })
    }
}

impl TagFilter {
    /// Returns `true` if the tags pass the filter.
    pub fn matches(&self, tags: &Tags) -> bool {
        match (tags.get(&self.key), &self.value) {
            (None, _) => false,
            (Some(_), Wanted::Anything) => true,
            (Some(value), Wanted::Nothing) => value.is_none(),
            (Some(value), Wanted::Exactly(wanted)) => value.as_ref() == Some(wanted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_filtered_by_value_any_value_or_none() {
        let tags: Tags = [
            ("team".to_owned(), Some("care".to_owned())),
            ("flag".to_owned(), None),
        ]
        .into();
        let matches = |filter: &str| filter.parse::<TagFilter>().unwrap().matches(&tags);
        for yes in ["team:care", "team:*", "flag:*", "flag:"] {
            assert!(matches(yes), "{yes}");
        }
        for no in ["team:", "team:sales", "flag:x", "other:*", "other:"] {
            assert!(!matches(no), "{no}");
        }
        for bad in ["team", "", ":x"] {
            assert_eq!(bad.parse::<TagFilter>(), Err(InvalidTagFilter), "{bad}");
        }
    }
}
