//! How much a server may answer, and how long it may take.

use std::time::Duration;

/// How much a server may answer, and how long it may take.
///
/// What goes beyond is an error, whatever the server says.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The longest answer that grants what was asked, in bytes.
    pub answer: usize,
    /// The longest answer that refuses it, in bytes.
    pub refusal: usize,
    /// The longest list, all pages together, in bytes.
    pub list: usize,
    /// How many pages without a row may follow each other.
    pub empty_pages: u32,
    /// The longest line of an export, in bytes.
    pub line: usize,
    /// How long a request may take until all of its answer is there; of a stream, until it begins.
    pub request: Duration,
    /// How long a stream may be silent.
    pub silence: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        const MEBIBYTE: usize = 1024 * 1024;
        Self {
            answer: 64 * MEBIBYTE,
            refusal: MEBIBYTE,
            list: 1024 * MEBIBYTE,
            empty_pages: 100,
            line: 64 * MEBIBYTE,
            request: Duration::from_mins(1),
            silence: Duration::from_mins(2),
        }
    }
}
