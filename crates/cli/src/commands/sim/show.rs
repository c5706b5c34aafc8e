//! `forge sim show`

use forge_client::simulations::Run;
use forge_domain::UnitTestSetRunId;

use super::{failures, find, report};
use crate::error::{Exit, Failure, Result};
use crate::session::Session;

/// Show what came of a run, so far or in the end.
///
/// With `--failed`, each conversation that has not passed, why, and what was said in it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge sim show $(forge sim list --limit 1 | cut -f 1)\n  forge sim show $(forge sim list --limit 1 | cut -f 1) --failed\n\n\
    In a pipe, a line for each test and each of its criteria: name of the test, criterion (empty for all of them), \
    conversations that passed, conversations, what went wrong. With `--failed`, a line for each reason and each message: name of the \
    test, number of the conversation, its id, `reason` or the kind of message, the text. JSON is the run as the API tells it, \
    with `--failed` its artifacts."
)]
pub(crate) struct Args {
    /// Id of the run.
    run: UnitTestSetRunId,
    /// Tell the conversations that have not passed, and why, instead of the numbers.
    #[arg(long)]
    failed: bool,
}

pub(crate) async fn run(session: &Session, args: Args) -> Result<Exit> {
    let (run, document) = find::run(&session.client, args.run).await?;
    if args.failed {
        return show_failed(session, &run).await;
    }
    if session.ui.json {
        session.ui.document(&document)?;
    } else {
        report::show(&session.ui, &run)?;
    }
    Ok(Exit::Ok)
}

async fn show_failed(session: &Session, run: &Run) -> Result<Exit> {
    if !run.is_completed {
        let hint = format!(
            "`{}` tells how far it is",
            session.command(&format!("sim show {}", run.id))
        );
        return Err(Failure::failed(format!("run {} is still in progress", run.id)).hint(hint));
    }
    if session.ui.json {
        let artifacts = session.client.run_artifacts(run.id).await?;
        session.ui.document(&artifacts.json)?;
        return Ok(Exit::Ok);
    }
    let conversations = failures::conversations(session, run).await?;
    if conversations.iter().all(failures::has_passed) {
        session.ui.note("no conversation of this run has failed");
    }
    failures::show(&session.ui, &conversations)?;
    Ok(Exit::Ok)
}
