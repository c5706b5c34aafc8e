//! `forge`: the server, and the commands that set it up.
//!
//! Data goes to stdout, everything else to stderr. Only this file ends the process.

mod admin_socket;
mod commands;
mod config;
mod installation;
mod output;

use std::process::ExitCode;

use clap::Parser;

/// Release management for AI agents.
#[derive(Debug, Parser)]
#[command(name = "forge", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: commands::Command,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output::failed(&error.into()),
    };
    match runtime.block_on(commands::run(cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::failed(&error),
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
