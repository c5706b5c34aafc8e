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
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Sign in, and keep the credentials as a profile.
    Login(login::Args),
    /// Tell whose credentials are in use, from where, and whether the server accepts them.
    Status(status::Args),
    /// Forget a profile and its token.
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
