//! `NAME` and `NAME@REVISION`.

use std::fmt;
use std::str::FromStr;

use forge_client::answers::Pins;
use forge_domain::SetName;
use forge_domain::numeral::integer;

use crate::ui::values::model;

/// A set, or one of its revisions.
#[derive(Debug, Clone)]
pub(super) struct SetRef {
    pub(super) name: SetName,
    pub(super) revision: Option<i64>,
}

impl FromStr for SetRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, revision) = match text.split_once('@') {
            Some((name, revision)) => (name, Some(revision)),
            None => (text, None),
        };
        let number = |text: &str| {
            let number = integer(text).filter(|number| *number > 0);
            number.ok_or_else(|| format!("`{text}` is no revision; they are 1, 2, 3 …"))
        };
        Ok(Self {
            name: name
                .parse()
                .map_err(|error: forge_domain::version_set::InvalidSetName| error.to_string())?,
            revision: revision.map(number).transpose()?,
        })
    }
}

impl fmt::Display for SetRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.revision {
            Some(revision) => write!(f, "{}@{revision}", self.name),
            None => write!(f, "{}", self.name),
        }
    }
}

/// Returns preferred models in the form that `--model` takes.
pub(super) fn models(pins: &Pins) -> String {
    let one = |(interaction, preference): (&String, &forge_client::answers::ModelPreference)| {
        format!(
            "{interaction}={}",
            model(&preference.llm_name, Some(&preference.params))
        )
    };
    pins.llm_model_preferences
        .iter()
        .map(one)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_a_number_after_the_name() {
        let set: SetRef = "release@7".parse().unwrap();
        assert_eq!((set.name.as_str(), set.revision), ("release", Some(7)));
        assert_eq!("release".parse::<SetRef>().unwrap().revision, None);
        for bad in [
            "",
            "a b",
            "release@",
            "release@0",
            "release@x",
            "release@+3",
            "release@03",
            "../x",
            "a/b",
        ] {
            assert!(bad.parse::<SetRef>().is_err(), "{bad}");
        }
    }
}
