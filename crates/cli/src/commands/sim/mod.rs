//! `forge sim`: trying version sets by simulated conversations.

mod cancel;
mod compare;
mod failures;
mod find;
mod junit;
mod list;
mod report;
mod run;
mod show;
mod statistics;

use clap::Subcommand;

use crate::error::{Exit, Result};
use crate::session::{Common, interruptible};

/// Run sets of unit tests against version sets, and see what came of it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "SET is the name or the id of a set of unit tests, RUN the id of a run.\n\
    `forge help exit-codes` tells how the commands end."
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Run(run::Args),
    #[command(alias = "ls")]
    List(list::Args),
    #[command(aliases = ["get", "describe"])]
    Show(show::Args),
    Cancel(cancel::Args),
    Compare(compare::Args),
}

pub(crate) async fn run(args: Args) -> Result<Exit> {
    let session = args.common.session()?;
    interruptible(async {
        match args.verb {
            Verb::Run(args) => run::run(&session, args).await,
            Verb::List(args) => list::run(&session, args).await,
            Verb::Show(args) => show::run(&session, args).await,
            Verb::Cancel(args) => cancel::run(&session, args).await,
            Verb::Compare(args) => compare::run(&session, args).await,
        }
    })
    .await
}
