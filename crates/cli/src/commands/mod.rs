//! The commands, one file each.

mod admin;
mod audit;
mod init;
mod quickstart;
mod serve;

use clap::Subcommand;

/// What `forge` is to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Do what only operators may.
    #[command(subcommand)]
    Admin(admin::Command),
    /// Check the audit log.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Create a store if needed, and an organization in it.
    Init(init::Args),
    /// Serve the API.
    Serve(serve::Args),
    /// Show everything once: a server, an agent, a service, and a release.
    Quickstart(quickstart::Args),
}

pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Admin(command) => admin::run(command).await,
        Command::Audit(command) => audit::run(command).await,
        Command::Init(args) => init::run(args).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Quickstart(args) => quickstart::run(args).await,
    }
}
