//! `INTERACTION=MODEL,PARAM=VALUE`

use std::str::FromStr;

use forge_client::answers::ModelPreference;
use serde_json::{Map, Value};

/// A model to prefer for an interaction.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModelArg {
    pub(super) interaction: String,
    pub(super) preference: ModelPreference,
}

impl FromStr for ModelArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "the form is INTERACTION=MODEL, or INTERACTION=MODEL,PARAM=VALUE and so on";
        let (interaction, rest) = text.split_once('=').ok_or(form)?;
        let mut parts = rest.split(',');
        let llm_name = parts.next().unwrap_or_default();
        if interaction.is_empty() || llm_name.is_empty() {
            return Err(form.to_owned());
        }
        let mut params = Map::new();
        for part in parts {
            let (name, value) = part.split_once('=').ok_or(form)?;
            if params.insert(name.to_owned(), value_of(value)).is_some() {
                return Err(format!("`{name}` is given twice"));
            }
        }
        Ok(Self {
            interaction: interaction.to_owned(),
            preference: ModelPreference {
                llm_name: llm_name.to_owned(),
                params,
            },
        })
    }
}

/// Reads numbers, `true`, `false` and `null` as JSON; everything else is a text.
fn value_of(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_) | Value::Null | Value::String(_))) => value,
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn models_have_names_and_parameters() {
        let arg: ModelArg = "engage-user=m-1,temperature=0.2,effort=low,think=true,name=\"1\""
            .parse()
            .unwrap();
        assert_eq!(arg.interaction, "engage-user");
        assert_eq!(arg.preference.llm_name, "m-1");
        let expected = json!({"temperature": 0.2, "effort": "low", "think": true, "name": "1"});
        assert_eq!(json!(arg.preference.params), expected);
        for bad in ["engage-user", "=m", "i=", "i=m,temperature", "i=m,a=1,a=2"] {
            assert!(bad.parse::<ModelArg>().is_err(), "{bad}");
        }
    }
}
