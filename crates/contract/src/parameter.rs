//! One parameter of an operation: how its texts become a value.

use forge_domain::fault::{Fault, Step};
use forge_domain::numeral::integer;
use serde_json::Value;

use super::own::twice;
use super::reference::schema_name;
use super::schema::ReadSchema;
use super::times;

/// Where a parameter stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In a header.
    Header,
}

impl Location {
    /// Returns the word that errors use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
        }
    }
}

/// A parameter of an operation.
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub location: Location,
    /// Whether it must be there.
    pub is_required: bool,
    /// Whether a request may give it several values.
    pub is_list: bool,
    pub(super) schema: ReadSchema,
}

impl Parameter {
    /// Returns `true` if a request means this parameter by that name; only in headers, case does not matter.
    pub(super) fn is_called(&self, name: &str) -> bool {
        match self.location {
            Location::Header => name.eq_ignore_ascii_case(&self.name),
            Location::Path | Location::Query => name == self.name,
        }
    }

    /// Reads the value that a request gives the parameter, or its default if it gives none.
    pub(super) fn read(&self, given: &[&str]) -> Result<Option<Value>, Vec<Fault>> {
        if given.is_empty() {
            if self.is_required {
                return Err(vec![Fault::new(
                    Vec::new(),
                    "missing",
                    "this parameter is required",
                )]);
            }
            return Ok(self.schema.schema.get("default").cloned());
        }
        if let Some(text) = given
            .iter()
            .find(|text| text.contains(['\0', char::REPLACEMENT_CHARACTER]))
        {
            let reason = if text.contains('\0') {
                "contains the NUL character"
            } else {
                "is not valid UTF-8"
            };
            return Err(vec![Fault::new(
                Vec::<Step>::new(),
                "string_unicode",
                format!("the text {reason}"),
            )]);
        }
        let (schema, definitions) = (&self.schema.schema, &self.schema.definitions);
        let value = match given {
            _ if self.is_list => given
                .iter()
                .map(|text| coerce(text, &schema["items"], definitions))
                .collect(),
            // The framework of the contract lets the last one count; two readers would see two things.
            [_, _, ..] => return Err(vec![twice()]),
            _ if times::is_time(schema) => times::repaired(given.first().unwrap_or(&"")).into(),
            _ => coerce(given.first().unwrap_or(&""), schema, definitions),
        };
        // An address means exactly what it says: what one method finds there, another must find too.
        let is_address = self.location == Location::Path;
        let read = if is_address {
            self.schema.read_as_is(value)
        } else {
            self.schema.read(value)
        };
        match read {
            Err(_) if times::is_time(schema) => Err(vec![times::fault(given.first().unwrap_or(&""))]),
            read => read.map(Some),
        }
    }
}

/// Returns `true` if a schema is not a reference, or one to a text: a text that looks like JSON is a text all the same.
fn is_text(schema: &Value, definitions: &Value) -> bool {
    let target = schema["$ref"].as_str().and_then(schema_name);
    target.is_none_or(|name| definitions[name]["type"] == "string")
}

/// Returns what a text means where the schema expects a number or a truth value; otherwise the text.
fn coerce(text: &str, schema: &Value, definitions: &Value) -> Value {
    let alternatives = schema["anyOf"]
        .as_array()
        .map_or(std::slice::from_ref(schema), Vec::as_slice);
    for alternative in alternatives {
        match alternative["type"].as_str() {
            Some("integer") => {
                if let Some(number) = integer::<i64>(text) {
                    return number.into();
                }
            }
            Some("boolean") => match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "on" | "yes" | "y" | "t" => return true.into(),
                "false" | "0" | "off" | "no" | "n" | "f" => return false.into(),
                _ => {}
            },
            // What is more than a word comes as JSON.
            None if text.starts_with('{') && !is_text(alternative, definitions) => {
                if let Ok(value) = serde_json::from_str(text) {
                    return value;
                }
            }
            _ => {}
        }
    }
    text.into()
}
