//! Reading JSON that nobody can misread.
//!
//! Two readers of one document must not see two different things, and everything read must be storable. So beside
//! what JSON itself forbids, an object with the same key twice, a string with a NUL character and an integer that could
//! only be kept as another number are refused.

use std::fmt;

use forge_domain::fault::{Fault, Step};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The mark that some programs put before a text in UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads one JSON document.
///
/// Depth is limited by `serde_json` to 128.
pub fn parse(bytes: &[u8]) -> Result<Value, Fault> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    if let Some(encoding) = other_encoding(bytes) {
        let msg = format!("the body is encoded in {encoding}; send it in UTF-8");
        return Err(Fault::new(vec!["body".into()], "json_invalid", msg));
    }
    let mut place = Vec::new();
    let mut numbers = Numbers::default();
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let seed = Strict {
        place: &mut place,
        numbers: &mut numbers,
    };
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
    .and_then(|value| match numbers.altered(bytes) {
        Some(mut place) => {
            place.insert(0, "body".into());
            let msg = "an integer is kept exactly from -2^63 to 2^64 - 1 only; write this one as a text, or with an exponent";
            Err(Fault::new(place, "json_refused", msg))
        }
        None => Ok(value),
    })
}

/// Returns the encoding of a text that is not in UTF-8, if it can be told: JSON begins with two ASCII characters.
fn other_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] | [0, 0, 0, _, ..] | [_, 0, 0, 0, ..] => {
            Some("UTF-32")
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] => Some("UTF-16"),
        _ => None,
    }
}

/// The numbers of a document that were read as floats beyond all integers: of those that are written as integers,
/// others would be stored.
#[derive(Default)]
struct Numbers {
    /// How many numbers were read.
    read: usize,
    /// Which of them may be such, and where they are.
    suspects: Vec<(usize, Vec<Step>)>,
}

impl Numbers {
    /// How many suspects are remembered: one that is found is enough, and most documents have none.
    const MOST: usize = 100;

    /// Returns the place of a number that is written as an integer and was not read as one.
    fn altered(&self, bytes: &[u8]) -> Option<Vec<Step>> {
        if self.suspects.is_empty() {
            return None;
        }
        let written: Vec<&[u8]> = number_texts(bytes).collect();
        let is_integer = |text: &&[u8]| !text.iter().any(|byte| b".eE".contains(byte));
        let mut suspects = self.suspects.iter();
        let found = suspects.find(|(index, _)| written.get(*index).is_some_and(is_integer));
        found.map(|(_, place)| place.clone())
    }
}

/// Returns the texts of all numbers in a sound JSON document, in their order.
fn number_texts(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            match bytes[at] {
                b'"' => {
                    at += 1;
                    while at < bytes.len() && bytes[at] != b'"' {
                        at += if bytes[at] == b'\\' { 2 } else { 1 };
                    }
                    at += 1;
                }
                b'-' | b'0'..=b'9' => {
                    let end = bytes[at..]
                        .iter()
                        .position(|byte| !b"+-.eE0123456789".contains(byte));
                    let text = &bytes[at..end.map_or(bytes.len(), |end| at + end)];
                    at += text.len();
                    return Some(text);
                }
                _ => at += 1,
            }
        }
        None
    })
}

/// Reads one value and, on failure, leaves behind where it was.
struct Strict<'p> {
    place: &'p mut Vec<Step>,
    numbers: &'p mut Numbers,
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
        self.numbers.read += 1;
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        self.numbers.read += 1;
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        // Every integer up to there was read as one.
        const INTEGERS: f64 = 9_223_372_036_854_775_808.0;
        let Numbers { read, suspects } = self.numbers;
        if value.abs() >= INTEGERS && suspects.len() < Numbers::MOST {
            suspects.push((*read, self.place.clone()));
        }
        *read += 1;
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
            let item = Strict {
                place: self.place,
                numbers: self.numbers,
            };
            match items.next_element_seed(item)? {
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
            let field = Strict {
                place: self.place,
                numbers: self.numbers,
            };
            let value = fields.next_value_seed(field)?;
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
    fn an_integer_that_could_only_be_kept_as_another_number_is_refused() {
        let (text, kind) =
            fault(br#"{"a": [1e30, -2.5, "18446744073709551616", {"b": 18446744073709551616}]}"#);
        assert!(
            text.starts_with("body.a[3].b: an integer is kept exactly"),
            "{text}"
        );
        assert_eq!(kind, "json_refused");
        assert_eq!(fault(b"-9223372036854775809").1, "json_refused");
        assert_eq!(fault(br#"["\"1", 1.5e400000000000000000000]"#).1, "json_invalid");
        for kept in [
            "18446744073709551615",
            "-9223372036854775808",
            "1e30",
            "18446744073709551616.0",
            r#"{"18446744073709551616": "\\\"18446744073709551616", "b": [1, -1, 1e19]}"#,
        ] {
            let value: Value = serde_json::from_str(kept).unwrap();
            assert_eq!(parse(kept.as_bytes()).unwrap(), value, "{kept}");
        }
        // A suspect that is found late is found none the less.
        let many = format!("[{}1, 99999999999999999999]", "2e25, ".repeat(Numbers::MOST - 1));
        assert_eq!(fault(many.as_bytes()).1, "json_refused");
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_document_and_other_encodings_are_named() {
        assert_eq!(parse(b"\xef\xbb\xbf{\"a\": 1}").unwrap(), json!({"a": 1}));
        let little: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for utf16 in [&little, &big, &[b"\xff\xfe".as_slice(), &little].concat()] {
            let (text, kind) = fault(utf16);
            assert_eq!(text, "body: the body is encoded in UTF-16; send it in UTF-8");
            assert_eq!(kind, "json_invalid");
        }
        assert!(fault(b"{\0\0\0}\0\0\0").0.contains("UTF-32"));
        assert_eq!(fault(b"\xef\xbb\xbf").1, "json_invalid");
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
