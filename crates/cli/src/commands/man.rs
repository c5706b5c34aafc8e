//! `forge man`

use std::path::PathBuf;

use clap::CommandFactory as _;

use crate::error::{Exit, Failure, Result};
use crate::{input, output, whole};

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
    // Made elsewhere first, as the library writes through links.
    let made = tempfile::tempdir()?;
    clap_mangen::generate_to(crate::Cli::command(), made.path()).map_err(failed)?;
    for page in std::fs::read_dir(made.path()).map_err(failed)? {
        let page = page.map_err(failed)?;
        let text = input::file(&page.path(), input::LONGEST).map_err(failed)?;
        whole::write(&args.folder.join(page.file_name()), &text).map_err(failed)?;
    }
    output::note(&format!("the manual pages are in {place}"));
    Ok(Exit::Ok)
}
