//! Reading what people give: files and stdin, never without end; as text, and as strict JSON.
//!
//! Every file that the commands read is read by this.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufRead as _, Read};
use std::path::Path;

use forge_domain::fault::Fault;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Failure, Result};

/// What Windows programs put before a text in UTF-8.
const MARK: char = '\u{feff}';

/// The longest document that is read, in bytes; longer than any that a server takes.
pub(crate) const LONGEST: u64 = 64 * 1024 * 1024;

/// The longest line that is read from stdin where a line is asked for, in bytes.
const LONGEST_LINE: u64 = 64 * 1024;

/// Opens a file.
///
/// It never waits: what is no regular file, such as a pipe or a device, may have no end, or never begin.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    regular(&fs::metadata(path)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    // It may have become something else meanwhile.
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        options.custom_flags(flags.bits().cast_signed());
    }
    let file = options.open(path)?;
    regular(&file.metadata()?)?;
    Ok(file)
}

/// Ensures that something is a regular file.
pub(crate) fn regular(found: &Metadata) -> io::Result<()> {
    let kind = found.file_type();
    if kind.is_file() {
        return Ok(());
    }
    let what = if kind.is_dir() {
        "a folder"
    } else if kind.is_symlink() {
        "a link"
    } else {
        "a pipe, a device or a socket"
    };
    Err(io::Error::other(format!("it is {what}, not a file")))
}

/// Reads a file of so many bytes at most.
pub(crate) fn file(path: &Path, longest: u64) -> io::Result<Vec<u8>> {
    at_most(open(path)?, longest)
}

/// Reads a document that somebody named, or stdin for `-`.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>> {
    if path == Path::new("-") {
        return at_most(io::stdin().lock(), LONGEST)
            .map_err(|error| Failure::failed(format!("cannot read stdin: {error}")));
    }
    file(path, LONGEST).map_err(|error| {
        let failure = Failure::failed(format!("cannot read {}: {error}", path.display()));
        match fs::metadata(path) {
            Ok(found) if !found.is_file() && !found.is_dir() => {
                failure.hint("pipe it in, and name `-` instead")
            }
            _ => failure,
        }
    })
}

/// Reads a line of stdin; nothing at its end.
pub(crate) fn line() -> io::Result<Option<String>> {
    let mut line = String::new();
    let read = io::stdin().lock().take(LONGEST_LINE).read_line(&mut line)?;
    if read as u64 == LONGEST_LINE {
        return Err(io::Error::other("the line is too long"));
    }
    Ok((read > 0).then(|| line.trim().to_owned()))
}

fn at_most(from: impl Read, longest: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(longest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > longest {
        return Err(io::Error::other(format!("it has more than {longest} bytes")));
    }
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
    serde_json::from_str(&text).map_err(|error| without_types(&error.to_string()))
}

/// Says what kind of number was expected without the word that a program has for it.
pub(crate) fn without_types(message: &str) -> String {
    const TYPES: [&str; 5] = ["i64", "u64", "u32", "u16", "usize"];
    TYPES.iter().fold(message.to_owned(), |text, name| {
        text.replace(&format!("expected {name}"), "expected a whole number")
    })
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
    fn a_fault_of_a_document_names_no_type_of_a_program() {
        let read = |text: &str| document::<Vec<i64>>(text.into()).unwrap_err();
        assert!(
            read(r#"["2"]"#).starts_with(r#"invalid type: string "2", expected a whole number at line 1"#),
            "{}",
            read(r#"["2"]"#)
        );
    }

    #[test]
    fn only_files_of_a_bounded_length_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "12345").unwrap();
        assert_eq!(file(&path, 5).unwrap(), b"12345");
        assert_eq!(
            file(&path, 4).unwrap_err().to_string(),
            "it has more than 4 bytes"
        );
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(
            file(&link, 5).unwrap(),
            b"12345",
            "whoever names a link means what it leads to"
        );
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        for endless in [&pipe, Path::new("/dev/zero"), folder.path()] {
            let fault = file(endless, 5).unwrap_err().to_string();
            assert!(fault.ends_with(", not a file"), "{fault}");
        }
    }

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
