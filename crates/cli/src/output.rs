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

/// Waits until nobody reads stdout any more.
pub(crate) async fn reader_gone() {
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    // On a thread of its own, which ends with the process.
    std::thread::spawn(move || {
        wait_for_end_of(&std::io::stdout());
        // Nobody waits any more if the command has ended otherwise.
        let _ = sender.send(());
    });
    let _ = receiver.await;
}

/// Waits until a pipe has no reader, or a terminal is gone.
///
/// Anything else has no end.
#[cfg(unix)]
fn wait_for_end_of(stdout: &std::io::Stdout) {
    use rustix::event::{PollFd, PollFlags, poll};
    loop {
        // Errors and hang-ups are told although nothing is asked for.
        let mut watched = [PollFd::new(stdout, PollFlags::empty())];
        match poll(&mut watched, None) {
            Ok(_) if !watched[0].revents().is_empty() => return,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => std::thread::park(),
        }
    }
}

#[cfg(not(unix))]
fn wait_for_end_of(_: &std::io::Stdout) {
    std::thread::park();
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
///
/// If it cannot be written, nobody is told, and all goes on: what was done is done.
pub(crate) fn note(text: &str) {
    // In one piece, so that lines of others do not stand within it.
    let _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
}
