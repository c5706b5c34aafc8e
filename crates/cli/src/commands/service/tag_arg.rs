//! `KEY:VALUE`

use std::str::FromStr;

use forge_client::answers::Tag;
use indexmap::IndexMap;

/// The tags of a service.
pub(super) type Tags = IndexMap<String, Option<String>>;

/// A tag that a service is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TagArg {
    pub(super) key: String,
    pub(super) value: Option<String>,
}

impl FromStr for TagArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once(':').unwrap_or((text, ""));
        if key.trim().is_empty() {
            return Err("the form is KEY:VALUE, or KEY for a tag without a value".to_owned());
        }
        Ok(Self {
            key: key.trim().to_owned(),
            value: Some(value.trim().to_owned()).filter(|value| !value.is_empty()),
        })
    }
}

/// Returns the tags of an answer.
pub(super) fn tags_of(tags: &[Tag]) -> Tags {
    tags.iter()
        .map(|tag| (tag.key.clone(), tag.value.clone()))
        .collect()
}

/// Returns tags in the form that `--tag` takes.
pub(super) fn shown(tags: &Tags) -> String {
    let one = |(key, value): (&String, &Option<String>)| match value {
        Some(value) => format!("{key}:{value}"),
        None => key.clone(),
    };
    tags.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_has_a_key_and_perhaps_a_value() {
        let tag = |key: &str, value: Option<&str>| TagArg {
            key: key.to_owned(),
            value: value.map(str::to_owned),
        };
        assert_eq!("team:care".parse(), Ok(tag("team", Some("care"))));
        assert_eq!("at: 10:30".parse(), Ok(tag("at", Some("10:30"))));
        assert_eq!("beta".parse(), Ok(tag("beta", None)));
        assert_eq!("beta:".parse(), Ok(tag("beta", None)));
        assert!(":x".parse::<TagArg>().is_err());
        let tags = Tags::from_iter([
            ("team".to_owned(), Some("care".to_owned())),
            ("beta".to_owned(), None),
        ]);
        assert_eq!(shown(&tags), "team:care beta");
    }
}
