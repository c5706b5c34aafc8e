//! `forge audit export`

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use forge_client::ClientError;
use forge_client::audit::Export;

use crate::error::{Exit, Failure, Result};
use crate::session::{Common, Session, interruptible};
use crate::ui::quoted;

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
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
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
    let end = copy(&mut export, &mut io::stdout()).await?;
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
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
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

/// Writes everything that comes, as it comes. Tells what the export ended with, if it was not its end.
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

fn incomplete(export: &Export, end: Option<ClientError>) -> Option<Failure> {
    match end {
        Some(error) => Some(Failure::from(error)),
        None if export.is_complete() => None,
        None => Some(Failure::failed(
            "the export broke off: its last line is not the signed checkpoint",
        )),
    }
}
