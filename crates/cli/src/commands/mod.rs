//! The commands, one file each.

mod admin;
mod asset;
mod audit;
mod auth;
mod completions;
mod gitops;
mod help;
mod init;
mod man;
mod quickstart;
mod serve;
mod service;
mod sim;
mod version_set;
mod watch;

use clap::Subcommand;

use crate::error::{Exit, Result};
use crate::session::Common;

/// What `forge` is to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(visible_alias = "vs")]
    VersionSet(version_set::Args),
    #[command(aliases = ["svc", "services"])]
    Service(service::Args),
    Asset(asset::Args),
    Sim(sim::Args),
    Auth(auth::Args),
    Serve(serve::Args),
    Init(init::Args),
    /// Do what only operators may.
    #[command(subcommand)]
    Admin(admin::Command),
    Export(gitops::export::Args),
    Apply(gitops::apply::Args),
    Watch(watch::Args),
    /// List, export and check the audit log.
    #[command(subcommand)]
    Audit(audit::Command),
    Quickstart(quickstart::Args),
    Completions(completions::Args),
    Man(man::Args),
    Help(help::Args),
}

impl Command {
    /// The options of a command that talks to a server.
    pub(crate) fn common(&mut self) -> Option<&mut Common> {
        match self {
            Self::VersionSet(args) => Some(&mut args.common),
            Self::Service(args) => Some(&mut args.common),
            Self::Asset(args) => Some(&mut args.common),
            Self::Sim(args) => Some(&mut args.common),
            Self::Auth(args) => Some(&mut args.common),
            Self::Export(args) => Some(&mut args.common),
            Self::Apply(args) => Some(&mut args.common),
            Self::Watch(args) => Some(&mut args.common),
            Self::Audit(command) => command.common(),
            Self::Serve(_)
            | Self::Init(_)
            | Self::Admin(_)
            | Self::Quickstart(_)
            | Self::Completions(_)
            | Self::Man(_)
            | Self::Help(_) => None,
        }
    }
}

pub(crate) async fn run(command: Command) -> Result<Exit> {
    match command {
        Command::VersionSet(args) => version_set::run(args).await,
        Command::Service(args) => service::run(args).await,
        Command::Asset(args) => asset::run(args).await,
        Command::Sim(args) => sim::run(args).await,
        Command::Auth(args) => auth::run(args).await,
        Command::Export(args) => gitops::export::run(args).await,
        Command::Apply(args) => gitops::apply::run(args).await,
        Command::Watch(args) => watch::run(args).await,
        Command::Audit(command) => audit::run(command).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Init(args) => init::run(args).await,
        Command::Admin(command) => admin::run(command).await,
        Command::Quickstart(args) => quickstart::run(args).await,
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
        Command::Help(args) => help::run(args),
    }
}
