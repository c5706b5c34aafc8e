//! `forge man`

use std::path::PathBuf;

use clap::CommandFactory as _;

use crate::error::{Exit, Failure, Result};
use crate::output;

/// Write the manual pages, one for each command.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  forge man ~/.local/share/man/man1")]
pub(crate) struct Args {
    /// Folder to write them to; it is made if need be.
    folder: PathBuf,
}

pub(crate) fn run(args: Args) -> Result<Exit> {
    let place = args.folder.display();
    let failed = |error: std::io::Error| Failure::failed(format!("cannot write to {place}: {error}"));
    std::fs::create_dir_all(&args.folder).map_err(failed)?;
    clap_mangen::generate_to(crate::Cli::command(), &args.folder).map_err(failed)?;
    output::note(&format!("the manual pages are in {place}"));
    Ok(Exit::Ok)
}
