//! `forge asset`: agents and context graphs, and their versions; and where behavior sets applied.

mod diff;
mod invocations;
mod list;
mod picture;
mod push;
mod show;
mod versions;
pub(crate) mod written;
mod yank;

use clap::Subcommand;
use forge_domain::asset::AssetKind;

use crate::error::{Exit, Result};
use crate::session::{Common, interruptible};

/// See, push and withdraw versions of agents and context graphs, and see where behavior sets applied.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A change prints its plan and does nothing until `--apply`. NAME is a name or an id.\n\
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
    /// List agents, and the newest version of each.
    #[command(after_help = list::AGENTS_HELP)]
    Agents,
    /// List context graphs, and the newest version of each.
    #[command(after_help = list::CONTEXT_GRAPHS_HELP)]
    ContextGraphs,
    Versions(versions::Args),
    #[command(aliases = ["get", "describe"])]
    Show(show::Args),
    Diff(diff::Args),
    Push(push::Args),
    Yank(yank::YankArgs),
    Unyank(yank::UnyankArgs),
    Invocations(invocations::Args),
}

pub(crate) async fn run(args: Args) -> Result<Exit> {
    let session = args.common.session()?;
    interruptible(Box::pin(async {
        match args.verb {
            Verb::Agents => list::run(&session, AssetKind::Agent).await,
            Verb::ContextGraphs => list::run(&session, AssetKind::ContextGraph).await,
            Verb::Versions(args) => versions::run(&session, args).await,
            Verb::Show(args) => show::run(&session, args).await,
            Verb::Diff(args) => diff::run(&session, args).await,
            Verb::Push(args) => push::run(&session, args).await,
            Verb::Yank(args) => yank::yank(&session, args).await,
            Verb::Unyank(args) => yank::unyank(&session, args).await,
            Verb::Invocations(args) => invocations::run(&session, args).await,
        }
    }))
    .await
}
