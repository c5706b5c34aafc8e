//! `forge help`: the help of commands, and what belongs to no single one.

use clap::CommandFactory as _;

use crate::error::{Exit, Failure, Result};
use crate::output;

const TOPICS: [(&str, &str); 2] = [("environment", ENVIRONMENT), ("exit-codes", EXIT_CODES)];

const EXIT_CODES: &str = "\
How commands end:

    0  all went well; a plan without blockers was shown; a list is empty
    1  it failed, a rule forbids it, something that was named does not exist, or `--strict` met a warning;
       `diff --exit-code` or `apply --check` found a difference; `service health` found something degraded
    2  the command line is wrong; `service health` found something that cannot run
    4  not signed in, or not permitted
    5  conflict: something moved since it was looked at
  130  interrupted by Ctrl-C

A reader that goes away, as in `forge version-set list SERVICE | head -1`, ends the command without a word.";

const ENVIRONMENT: &str = "\
Where a command finds the server and who signs in there:

  1. with `--env NAME`, the profile NAME, whatever variables are set; it must be there
  2. else the variables FORGE_BASE_URL, FORGE_ORGANIZATION_ID, FORGE_USER_ID, FORGE_API_KEY_ID and FORGE_API_KEY,
     or the same with the prefix AMIGO_
  3. else the profile that FORGE_ENV names; it must be there
  4. else the profile `default`

FORGE_ENV together with any of these variables is an error, and so are prefixes that say different things. All five
values come from one of these places and are never mixed. Every plan tells the organization and the address.

A profile is a file `.env.NAME` with the same names in it: in the working directory, else in `$XDG_CONFIG_HOME/forge` or
`~/.config/forge`, where `forge auth login` writes it. A file without any of these names is none, and one that has a name
twice is an error.

Other variables:

  NO_COLOR         set to anything, there are no colours
  XDG_CACHE_HOME   tokens are kept in its folder `forge/tokens`, by default in `~/.cache/forge/tokens`";

/// Show the help of a command, or of a topic.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A command, or a topic.
    words: Vec<String>,
}

pub(crate) fn run(args: Args) -> Result<Exit> {
    if let [word] = args.words.as_slice()
        && let Some((_, text)) = TOPICS.iter().find(|(name, _)| name == word)
    {
        output::line(text)?;
        return Ok(Exit::Ok);
    }
    let mut command = crate::Cli::command();
    // Fills in the usage lines of all commands.
    command.build();
    let mut found = &mut command;
    for word in &args.words {
        found = found.find_subcommand_mut(word).ok_or_else(|| {
            Failure::new(
                Exit::Usage,
                format!("there is no command or topic `{}`", args.words.join(" ")),
            )
            .hint("`forge --help` lists the commands; the topics are `environment` and `exit-codes`")
        })?;
    }
    output::line(found.render_long_help().to_string().trim_end())?;
    Ok(Exit::Ok)
}
