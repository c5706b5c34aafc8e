//! What people and programs see.

use std::io::Write as _;
use std::process::ExitCode;

use comfy_table::{Table, presets};

/// Prints a line of data.
pub(crate) fn line(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()
}

/// Prints a table of data.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: Vec<[String; N]>) -> std::io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    line(&table.to_string())
}

/// Tells something that is not data.
#[expect(
    clippy::print_stderr,
    reason = "the one place that writes to stderr, beside the logs"
)]
pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}

/// An error that ends the process with another code than 1.
#[derive(Debug)]
pub(crate) struct WithCode {
    code: u8,
    cause: anyhow::Error,
}

impl WithCode {
    pub(crate) fn new(code: u8, cause: anyhow::Error) -> Self {
        Self { code, cause }
    }
}

impl std::fmt::Display for WithCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#}", self.cause)
    }
}

impl std::error::Error for WithCode {}

/// Tells why the command failed, and returns how the process ends.
pub(crate) fn failed(error: &anyhow::Error) -> ExitCode {
    // A reader that went away is no failure of ours.
    let is_broken_pipe = error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
    });
    if !is_broken_pipe {
        note(&format!("error: {error:#}"));
    }
    error
        .downcast_ref::<WithCode>()
        .map_or(ExitCode::FAILURE, |error| ExitCode::from(error.code))
}
