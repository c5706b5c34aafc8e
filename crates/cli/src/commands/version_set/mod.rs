//! `forge version-set`: what services run, and changing it.

mod delete;
mod diff;
mod history;
mod list;
mod models;
mod promote;
mod promote_all;
mod promote_args;
mod release_hold;
mod rollback;
mod set_ref;
mod show;
mod upsert;

use clap::Subcommand;

use crate::error::{Exit, Result};
use crate::session::{Common, interruptible};

/// See and change what services run.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A change prints its plan and does nothing until `--apply`. SERVICE is a name or an id.\n\
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
    #[command(alias = "ls")]
    List(list::Args),
    #[command(aliases = ["get", "describe"])]
    Show(show::Args),
    #[command(aliases = ["create", "set", "update"])]
    Upsert(upsert::Args),
    #[command(alias = "compare")]
    Diff(diff::Args),
    Promote(promote_args::Args),
    Rollback(rollback::Args),
    History(history::Args),
    Models(models::Args),
    ReleaseHold(release_hold::Args),
    #[command(aliases = ["rm", "remove"])]
    Delete(delete::Args),
}

pub(crate) async fn run(args: Args) -> Result<Exit> {
    let session = args.common.session()?;
    interruptible(Box::pin(async {
        match args.verb {
            Verb::List(args) => list::run(&session, args).await,
            Verb::Show(args) => show::run(&session, args).await,
            Verb::Upsert(args) => upsert::run(&session, args).await,
            Verb::Diff(args) => diff::run(&session, args).await,
            Verb::Promote(args) => promote::run(&session, args).await,
            Verb::Rollback(args) => rollback::run(&session, args).await,
            Verb::History(args) => history::run(&session, args).await,
            Verb::Models(args) => models::run(&session, args).await,
            Verb::ReleaseHold(args) => release_hold::run(&session, args).await,
            Verb::Delete(args) => delete::run(&session, args).await,
        }
    }))
    .await
}
