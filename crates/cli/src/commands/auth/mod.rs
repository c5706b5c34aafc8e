//! `forge auth`: who signs in, and where.

mod login;
mod logout;
mod status;

use clap::Subcommand;

use crate::error::{Exit, Result};
use crate::session::{Common, interruptible};

/// Sign in, and see who is signed in.
#[derive(Debug, clap::Args)]
#[command(after_help = "`forge help environment` tells where credentials are looked for.")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Login(login::Args),
    Status(status::Args),
    Logout(logout::Args),
}

pub(crate) async fn run(args: Args) -> Result<Exit> {
    let common = args.common;
    interruptible(async {
        match args.verb {
            Verb::Login(args) => login::run(&common, args).await,
            Verb::Status(args) => status::run(&common, args).await,
            Verb::Logout(args) => logout::run(&common, args),
        }
    })
    .await
}
