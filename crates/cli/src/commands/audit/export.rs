//! `forge audit export`

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use forge_client::ClientError;
use forge_client::audit::Export;

use crate::error::{Exit, Failure, Result};
use crate::numbers;
use crate::session::{Common, Session, interruptible};
use crate::ui::{escaped_json, quoted};
use crate::whole;

/// Export the whole audit log, oldest first: one JSON document a line, with a signed checkpoint as the last one.
///
/// An export that breaks off has no checkpoint; it ends with 1, and a file of `--output` is left as it was.
/// `forge audit verify` checks exports without a server.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge audit export -o audit.ndjson\n  forge audit export | forge audit verify -\n  \
    forge audit export --after 2 -o since.ndjson"
)]
pub(crate) struct Args {
    /// File to write, whole or not at all [default: stdout].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Leave out everything up to this place of the log, which an earlier export has.
    #[arg(long, value_name = "N", value_parser = numbers::from_zero::<i64>)]
    after: Option<i64>,
    #[command(flatten)]
    pub(crate) common: Common,
}

pub(crate) async fn run(args: Args) -> Result<Exit> {
    interruptible(export(args)).await
}

async fn export(args: Args) -> Result<Exit> {
    let session = args.common.session()?;
    let export = session.client.export_audit_log(args.after).await?;
    match &args.output {
        Some(path) => to_file(&session, export, path).await,
        None => to_stdout(export).await,
    }
}

async fn to_stdout(mut export: Export) -> Result<Exit> {
    let mut stdout = io::stdout();
    let end = if stdout.is_terminal() {
        let mut lines = Lines::new(stdout);
        copy(&mut export, &mut lines).await?
    } else {
        copy(&mut export, &mut stdout).await?
    };
    match incomplete(&export, end) {
        None => Ok(Exit::Ok),
        Some(failure) => Err(match export.last_sequence() {
            Some(last) => failure.hint(format!(
                "what was printed is good; `--after {last}` goes on behind it"
            )),
            None => failure,
        }),
    }
}

async fn to_file(session: &Session, mut export: Export, path: &Path) -> Result<Exit> {
    let failed = |error: io::Error| Failure::failed(format!("cannot write {}: {error}", path.display()));
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(Failure::failed(format!(
            "there is no folder {} to write to",
            folder.display()
        )));
    }
    // Whoever reads the file finds the whole export, or what was there before.
    let mut file = whole::begin_private(path).map_err(failed)?;
    let end = copy(&mut export, file.as_file_mut()).await?;
    if let Some(failure) = incomplete(&export, end) {
        return Err(failure.hint(format!("{} was left as it was; try again", path.display())));
    }
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    let shown = path.display().to_string();
    session.ui.note(&format!(
        "exported to {shown}; `forge audit verify {}` checks it",
        quoted(&shown)
    ));
    Ok(Exit::Ok)
}

/// Writes everything that comes, as it comes.
///
/// Tells what the export ended with, if it was not its end.
async fn copy(export: &mut Export, to: &mut impl Write) -> Result<Option<ClientError>> {
    loop {
        match export.next().await {
            Ok(Some(bytes)) => to.write_all(&bytes)?,
            Ok(None) => break,
            Err(error) => return Ok(Some(error)),
        }
    }
    to.flush()?;
    Ok(None)
}

/// Lines of JSON as people see them: nothing in them speaks to the terminal.
///
/// They say the same, but are not the same bytes.
struct Lines<W> {
    to: W,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
}

impl<W: Write> Lines<W> {
    fn new(to: W) -> Self {
        Self { to, line: Vec::new() }
    }
}

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                let line = String::from_utf8_lossy(&line).replace('\r', " ");
                let line = escaped_json(line.trim_end());
                writeln!(self.to, "{line}")?;
            }
        }
        Ok(bytes.len())
    }

    /// A line that has broken off is not shown.
    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn incomplete(export: &Export, end: Option<ClientError>) -> Option<Failure> {
    match end {
        Some(error) => Some(Failure::from(error)),
        None if export.is_complete() => None,
        None => Some(Failure::failed(
            "the export broke off: its last line is not the signed checkpoint",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_line_speaks_to_the_terminal_however_it_is_cut() {
        let sent = "{\"a\":\"\u{9b}31m\u{202e}é\"}\n{\"b\":1}\n{\"broken".as_bytes();
        for size in 1..=sent.len() {
            let mut lines = Lines::new(Vec::new());
            for part in sent.chunks(size) {
                lines.write_all(part).unwrap();
            }
            lines.flush().unwrap();
            let seen = String::from_utf8(lines.to).unwrap();
            assert_eq!(seen, "{\"a\":\"\\u009b31m\\u202eé\"}\n{\"b\":1}\n");
        }
    }
}
