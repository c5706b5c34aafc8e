//! `forge audit`

mod verify;

use clap::Subcommand;

use crate::error::{Exit, Result};

/// The audit log.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look for what was done to a log after it was written: in files of an export, or in a store.
    Verify(verify::Args),
}

pub(crate) async fn run(command: Command) -> Result<Exit> {
    match command {
        Command::Verify(args) => verify::run(args).await,
    }
}
