//! Reading files that people give: as text, and as strict JSON.

use std::io::Read as _;
use std::path::Path;

use forge_domain::fault::Fault;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Failure, Result};

/// What Windows programs put before a text in UTF-8.
const MARK: char = '\u{feff}';

/// Reads a file, or stdin for `-`.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    read.map_err(|error| Failure::failed(format!("cannot read {}: {error}", path.display())))?;
    Ok(bytes)
}

/// Returns the text of a file, without a byte order mark.
pub(crate) fn text(bytes: Vec<u8>) -> std::result::Result<String, String> {
    let text = String::from_utf8(bytes).map_err(|error| match error.as_bytes() {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "it is UTF-16; save it as UTF-8".to_owned(),
        bytes => {
            let good = &bytes[..error.utf8_error().valid_up_to()];
            let line = good.split(|byte| *byte == b'\n').count();
            format!("it is not UTF-8, as line {line} shows")
        }
    })?;
    match text.strip_prefix(MARK) {
        Some(rest) => Ok(rest.to_owned()),
        None => Ok(text),
    }
}

/// Reads JSON as the server does: no field twice, no NUL character.
pub(crate) fn json(bytes: Vec<u8>) -> std::result::Result<Value, String> {
    strict(&text(bytes)?)
}

/// Reads a document of this form.
pub(crate) fn document<T: DeserializeOwned>(bytes: Vec<u8>) -> std::result::Result<T, String> {
    let text = text(bytes)?;
    strict(&text)?;
    // From the text once more, as faults tell their line then.
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

fn strict(text: &str) -> std::result::Result<Value, String> {
    // A text without a mark, every other byte of which is NUL.
    if text.as_bytes().iter().take(2).any(|byte| *byte == 0) {
        return Err("it seems to be UTF-16; save it as UTF-8".to_owned());
    }
    forge_wire::json::parse(text.as_bytes()).map_err(|fault| told(&fault))
}

/// Says what is wrong, and where in the document.
fn told(fault: &Fault) -> String {
    let text = fault.to_string();
    match text.strip_prefix("body") {
        Some(rest) => rest.trim_start_matches(['.', ':', ' ']).to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_text() {
        assert_eq!(json("\u{feff}{\"a\": 1}".into()), Ok(serde_json::json!({"a": 1})));
        assert_eq!(text("\u{feff}A=\u{feff}".into()), Ok("A=\u{feff}".to_owned()));
    }

    #[test]
    fn another_encoding_is_named() {
        let utf_16 = |first: &[u8], order: fn(u16) -> [u8; 2]| {
            first
                .iter()
                .copied()
                .chain("{\"a\": 1}".encode_utf16().flat_map(order))
                .collect::<Vec<u8>>()
        };
        for bytes in [
            utf_16(&[0xff, 0xfe], u16::to_le_bytes),
            utf_16(&[0xfe, 0xff], u16::to_be_bytes),
            utf_16(&[], u16::to_le_bytes),
            utf_16(&[], u16::to_be_bytes),
        ] {
            assert!(json(bytes).unwrap_err().contains("UTF-16; save it as UTF-8"));
        }
        let latin = b"{\n\"a\": \"caf\xe9\"}".to_vec();
        assert_eq!(json(latin).unwrap_err(), "it is not UTF-8, as line 2 shows");
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused_with_its_place() {
        let fault = |text: &str| json(text.into()).unwrap_err();
        let text = fault(r#"{"a": [{"b": 1, "b": 2}]}"#);
        assert!(text.starts_with("a[0].b: the key occurs twice"), "{text}");
        let text = fault(r#"{"a": "x\u0000"}"#);
        assert!(text.starts_with("a: a text must not contain the NUL"), "{text}");
        let text = fault("{");
        assert!(text.starts_with("EOF while parsing"), "{text}");
    }
}
