//! The two streams: data to stdout, everything else to stderr.
//!
//! Commands that talk to a server use [`crate::ui`], which decides what people and programs see.

use std::io::Write as _;

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
