//! `forge`: the server, the commands that set it up, and those that talk to one.
//!
//! Data goes to stdout, everything else to stderr. Only this file ends the process.
//!
//! Commands that talk to a server know it through `forge_client` alone, so that they work against any installation.
//!
//! # Adding a command
//!
//! 1. `commands/<noun>/<verb>.rs` has an `Args` struct, whose comments are the help, with examples in `after_help`, and
//!    `run`. List it in the noun's `mod.rs`, which flattens [`session::Common`] and makes the [`session::Session`]. A new
//!    noun is listed in `commands/mod.rs`.
//!    A command that changes nothing may be listed in [`usage`], which suggests it for slips.
//! 2. What it asks the server is a method of `forge_client::Client`; [`lookup`] and [`assets`] find by name,
//!    and [`finder`] suggests what may have been meant.
//! 3. It shows lists with `Ui::rows`, things with `Ui::fields`, and what the server sent with `Ui::document`. Everything
//!    that is not data is a `note`, a `warning` or a `hint`.
//! 4. A change flattens [`change::ApplyArgs`] and goes through [`change::carry_out`], which shows its plan, asks, and carries
//!    out what was shown. One of a version set is a [`set_change::SetChange`], whose plan is a dry run of the server; what is
//!    planned here is an [`edit::Edit`].
//! 5. What goes wrong is a [`error::Failure`]; `?` makes one of any error. It knows the exit code and what to do.
//! 6. Files are read by [`input`] and written by [`whole`], which never wait, end, and follow no links where none was named.
//! 7. Tests are transcripts in `tests/cli`: the commands as typed, in a pipe and on a terminal. The examples of the help
//!    run by themselves.

mod admin_socket;
mod assets;
mod body;
mod change;
mod commands;
mod config;
mod creation;
mod descriptors;
mod edit;
mod error;
mod exposure;
mod finder;
mod findings;
mod input;
mod installation;
mod likeness;
mod log;
mod lookup;
mod numbers;
mod output;
mod plan;
mod preference;
mod profile;
mod session;
mod set_change;
mod ui;
mod under_way;
mod usage;
mod whole;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::error::{Exit, Result};

/// Release management for AI agents.
#[derive(Debug, Parser)]
#[command(
    name = "forge",
    version,
    about,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Topics: `forge help environment`, `forge help exit-codes`."
)]
struct Cli {
    #[command(flatten)]
    early: session::EarlyCommon,
    #[command(subcommand)]
    command: commands::Command,
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let exit = match Cli::try_parse_from(&arguments) {
        Ok(cli) => run(cli),
        Err(error) => match usage::explained(&arguments, &error) {
            Some(failure) => {
                ui::Ui::new(false, false).failure(&failure);
                failure.exit
            }
            None => error.exit(),
        },
    };
    ExitCode::from(exit as u8)
}

/// Runs the command, and tells how it failed if it did.
fn run(cli: Cli) -> Exit {
    let Cli { early, mut command } = cli;
    let result = early.add_to(command.common()).and_then(|()| run_command(command));
    result.unwrap_or_else(|failure| {
        ui::Ui::new(false, false).failure(&failure);
        failure.exit
    })
}

fn run_command(command: commands::Command) -> Result<Exit> {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let result = runtime.block_on(commands::run(command));
            if result
                .as_ref()
                .is_err_and(|failure| failure.exit == Exit::Interrupted)
            {
                // A thread that waits for an answer on the terminal must not keep the process.
                runtime.shutdown_background();
            }
            result
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
        let _: Cli = Cli::parse_from(["forge", "quickstart", "--no-wait"]);
    }
}
