//! `forge sim cancel`

use forge_domain::UnitTestSetRunId;

use crate::error::{Exit, Result};
use crate::session::Session;

/// Stop a run that is in progress.
///
/// Conversations that have ended keep their results; no more begin.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  forge sim cancel $(forge sim run smoke)")]
pub(crate) struct Args {
    /// Id of the run.
    run: UnitTestSetRunId,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    session.client.cancel_run(args.run).await?;
    session.ui.note(&format!("run {} is cancelled", args.run));
    Ok(Exit::Ok)
}
