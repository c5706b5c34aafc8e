//! How large values are as JSON.

use std::io;

use serde::Serialize;

/// Counts what is written, and ends once it is too much.
struct Counter(u64);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let rest = self.0.checked_sub(bytes.len() as u64);
        self.0 = rest.ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns `true` if a value takes at most so many bytes as JSON, in time in proportion to no more than these.
pub fn is_within(value: &impl Serialize, most: u64) -> bool {
    serde_json::to_writer(Counter(most), value).is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sizes_are_those_of_the_json() {
        for value in [json!(null), json!("a\n"), json!({"a": [1, 2.5]})] {
            let size = value.to_string().len() as u64;
            assert!(is_within(&value, size) && !is_within(&value, size - 1), "{value}");
        }
    }
}
