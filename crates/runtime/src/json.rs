//! JSON that says each thing once.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::text::harmless;

/// A value whose texts are [harmless]; nothing, if a key stands twice in one object of it.
///
/// Readers disagree about which of the two counts.
#[derive(Debug, PartialEq)]
pub(crate) struct Unambiguous(pub(crate) Option<Value>);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl Unambiguous {
    fn of(value: impl Into<Value>) -> Self {
        Self(Some(value.into()))
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Unambiguous;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Unambiguous, E> {
        Ok(Unambiguous::of(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Unambiguous, E> {
        Ok(Unambiguous::of(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Unambiguous, E> {
        Ok(Unambiguous::of(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Unambiguous, E> {
        Ok(Unambiguous::of(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Unambiguous, E> {
        Ok(Unambiguous::of(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Unambiguous, E> {
        Ok(Unambiguous::of(harmless(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unambiguous, A::Error> {
        let mut values = Some(Vec::new());
        while let Some(Unambiguous(item)) = items.next_element()? {
            values = values.zip(item).map(|(mut values, item)| {
                values.push(item);
                values
            });
        }
        Ok(Unambiguous(values.map(Value::Array)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Unambiguous, A::Error> {
        let mut map = Map::new();
        let mut is_ambiguous = false;
        while let Some((key, Unambiguous(value))) = fields.next_entry::<String, Unambiguous>()? {
            is_ambiguous |= value.is_none();
            // What differs by characters that are left out is the same.
            let before = map.insert(harmless(&key).into_owned(), value.unwrap_or_default());
            is_ambiguous |= before.is_some();
        }
        Ok(Unambiguous((!is_ambiguous).then_some(Value::Object(map))))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Option<Value> {
        serde_json::from_str::<Unambiguous>(text).unwrap().0
    }

    #[test]
    fn what_says_each_thing_once_is_read_as_it_is() {
        let text = r#"{"a": [1, -2, 3.5, "é", null, true, {"b": {}}], "c": 1e3, "b": []}"#;
        assert_eq!(read(text), serde_json::from_str(text).unwrap());
    }

    #[test]
    fn a_key_that_stands_twice_says_nothing() {
        for text in [
            r#"{"a": 1, "a": 1}"#,
            r#"[{"b": {"a": 1, "c": 2, "\u0061": 3}}]"#,
            r#"{"a": 1, "a\u0000": 2}"#,
            r#"{"x": {"a": 1, "a": 2}, "y": 1}"#,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn texts_are_harmless() {
        assert_eq!(read(r#"{"a\u001b": ["\u009b\n"]}"#), Some(json!({"a": ["\n"]})));
    }
}
