//! `forge service`: what is there to be released, how it is, and changing it.

mod binding;
mod create;
mod health;
mod list;
pub(crate) mod plan;
mod show;
mod tag_arg;
mod update;

use clap::Subcommand;

use crate::error::{Exit, Result};
use crate::session::{Common, interruptible};

/// See, check and change services.
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
    Health(health::Args),
    Create(create::Args),
    Update(update::Args),
}

pub(crate) async fn run(args: Args) -> Result<Exit> {
    let session = args.common.session()?;
    interruptible(Box::pin(async {
        match args.verb {
            Verb::List(args) => list::run(&session, args).await,
            Verb::Show(args) => show::run(&session, args).await,
            Verb::Health(args) => health::run(&session, args).await,
            Verb::Create(args) => create::run(&session, args).await,
            Verb::Update(args) => update::run(&session, args).await,
        }
    }))
    .await
}

fn state(is_active: bool) -> &'static str {
    if is_active { "active" } else { "inactive" }
}
