//! `forge audit`

mod export;
mod list;
mod verify;

use clap::Subcommand;

use crate::error::{Exit, Result};
use crate::session::Common;

/// The audit log.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(list::Args),
    Export(export::Args),
    /// Look for what was done to a log after it was written: in files of an export, or in a store.
    Verify(verify::Args),
}

impl Command {
    /// The options of a command that talks to a server.
    pub(crate) fn common(&mut self) -> Option<&mut Common> {
        match self {
            Self::List(args) => Some(&mut args.common),
            Self::Export(args) => Some(&mut args.common),
            Self::Verify(_) => None,
        }
    }
}

pub(crate) async fn run(command: Command) -> Result<Exit> {
    match command {
        Command::List(args) => list::run(args).await,
        Command::Export(args) => export::run(args).await,
        Command::Verify(args) => verify::run(args).await,
    }
}
