//! `forge sim show`

use forge_domain::UnitTestSetRunId;

use super::{find, report};
use crate::error::{Exit, Result};
use crate::session::Session;

/// Show what came of a run, so far or in the end.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge sim show $(forge sim list --limit 1 | cut -f 1)\n\n\
    In a pipe, a line for each test and each of its criteria: name of the test, criterion (empty for all of them), \
    conversations that passed, conversations, what went wrong. JSON is the run as the API tells it."
)]
pub(crate) struct Args {
    /// Id of the run.
    run: UnitTestSetRunId,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let (run, document) = find::run(&session.client, args.run).await?;
    if session.ui.json {
        session.ui.document(&document)?;
    } else {
        report::tell(&session.ui, &run)?;
    }
    Ok(Exit::Ok)
}
