//! `forge completions`

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::error::{Exit, Result};
use crate::output;

/// Print what a shell needs to complete commands and options.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  forge completions bash > ~/.local/share/bash-completion/completions/forge\n  \
    forge completions zsh > ~/.zfunc/_forge\n  \
    forge completions fish > ~/.config/fish/completions/forge.fish"
)]
pub(crate) struct Args {
    /// The shell.
    #[arg(value_parser = ["bash", "zsh", "fish"])]
    shell: String,
}

pub(crate) fn run(args: Args) -> Result<Exit> {
    let shell = match args.shell.as_str() {
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        _ => Shell::Bash,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut crate::Cli::command(), "forge", &mut script);
    output::line(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Ok)
}
