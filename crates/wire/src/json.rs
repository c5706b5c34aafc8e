//! Reading JSON that nobody can misread.
//!
//! Two readers of one document must not see two different things, and everything read must be storable. So beside
//! what JSON itself forbids, an object with the same key twice and a string with a NUL character are refused.

use std::fmt;

use forge_domain::fault::{Fault, Step};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads one JSON document. Depth is limited by `serde_json` to 128.
pub fn parse(bytes: &[u8]) -> Result<Value, Fault> {
    let mut place = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let seed = Strict { place: &mut place };
    let read = seed
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| {
        let kind = if error.is_data() {
            "json_refused"
        } else {
            "json_invalid"
        };
        let mut loc = vec![Step::from("body")];
        loc.append(&mut place);
        Fault::new(loc, kind, error.to_string())
    })
}

/// Reads one value and, on failure, leaves behind where it was.
struct Strict<'p> {
    place: &'p mut Vec<Step>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

fn refuse_nul<E: serde::de::Error>(text: &str) -> Result<(), E> {
    if text.contains('\0') {
        return Err(E::custom("a text must not contain the NUL character"));
    }
    Ok(())
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number must be finite"))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        refuse_nul(value)?;
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            self.place.push(values.len().into());
            match items.next_element_seed(Strict { place: self.place })? {
                Some(value) => values.push(value),
                None => break,
            }
            self.place.pop();
        }
        self.place.pop();
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = fields.next_key::<String>()? {
            self.place.push(key.clone().into());
            refuse_nul(&key)?;
            if map.contains_key(&key) {
                return Err(A::Error::custom("the key occurs twice in one object"));
            }
            let value = fields.next_value_seed(Strict { place: self.place })?;
            map.insert(key, value);
            self.place.pop();
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fault(text: &[u8]) -> (String, &'static str) {
        let fault = parse(text).unwrap_err();
        (fault.to_string(), fault.kind)
    }

    #[test]
    fn sound_documents_are_read_as_they_are() {
        let text = r#"{"a": [1, -2, 3.5, "é\u0001", null, true, {"b": {}}], "c": 1e3}"#;
        assert_eq!(
            parse(text.as_bytes()).unwrap(),
            serde_json::from_str::<Value>(text).unwrap()
        );
        assert_eq!(parse(b"null").unwrap(), json!(null));
    }

    #[test]
    fn a_fault_says_where_it_is() {
        let (text, kind) = fault(br#"{"a": [{"b": 1}, {"b": 1, "b": 2}]}"#);
        assert!(text.starts_with("body.a[1].b: the key occurs twice"), "{text}");
        assert_eq!(kind, "json_refused");
        let (text, _) = fault(br#"{"name": "a\u0000b"}"#);
        assert!(
            text.starts_with("body.name: a text must not contain the NUL"),
            "{text}"
        );
        assert_eq!(fault(br#"{"a\u0000": 1}"#).1, "json_refused");
    }

    #[test]
    fn broken_documents_are_refused() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for text in [
            b"".as_slice(),
            b"{",
            b"{\"a\": 1,}",
            b"{\"a\": 1} x",
            b"\"\xff\"",
            b"\"\\ud800\"",
            b"NaN",
            b"1e999",
            deep.as_bytes(),
        ] {
            assert_eq!(fault(text).1, "json_invalid", "{}", String::from_utf8_lossy(text));
        }
    }
}
