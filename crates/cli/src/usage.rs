//! Command lines that cannot be read: what was meant, as far as that can be known.
//!
//! Words of other programs are in tables. What is merely spelt alike is suggested only if it changes nothing, as whoever does
//! as suggested may not look twice.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory as _};

use crate::error::{Exit, Failure};
use crate::likeness::alike;

/// Words that are commands elsewhere: the commands before them, the word, and what there is here.
const WORDS: &[(&str, &[&str], &str)] = &[
    (
        "",
        &["platform"],
        "leave the word out, as in `forge version-set list SERVICE`",
    ),
    ("", &["login", "signin"], "`forge auth login` signs in"),
    ("", &["logout"], "`forge auth logout` forgets a profile"),
    (
        "",
        &["whoami", "status"],
        "`forge auth status` tells who is signed in, and where",
    ),
    (
        "",
        &["config", "context", "profile"],
        "`forge help environment` tells where settings come from",
    ),
    ("", &["version"], "`forge --version` tells it"),
    (
        "",
        &["agent", "agents"],
        "`forge asset agents` lists agents, and `forge asset show agent NAME` shows one",
    ),
    (
        "",
        &[
            "context-graph",
            "context_graph",
            "context-graphs",
            "graph",
            "graphs",
        ],
        "`forge asset context-graphs` lists them, and `forge asset show context-graph NAME` shows one",
    ),
    (
        "",
        &[
            "user",
            "users",
            "role",
            "roles",
            "key",
            "keys",
            "conversation",
            "conversations",
            "chat",
            "persona",
            "scenario",
        ],
        "there is no command for it yet; the API has it, as `/v1/openapi.json` of the server tells",
    ),
    (
        "",
        &["simulate", "simulation", "simulations"],
        "`forge sim run SET` runs a set of unit tests",
    ),
    (
        "",
        &["validate", "plan", "check"],
        "every change is checked and shown before it is made: leave `--apply` out; `forge apply -f DIR --check` checks files",
    ),
    (
        "",
        &["push", "upload"],
        "`forge asset push KIND NAME --file FILE` makes a file the next version",
    ),
    (
        "",
        &["pull", "sync", "sync-to-local", "download"],
        "`forge export` writes everything as files, and `forge apply -f DIR` reads them",
    ),
    (
        "",
        &["promote", "rollback", "history", "diff", "upsert"],
        "it belongs to version sets: `forge version-set --help`",
    ),
    (
        "",
        &["list", "ls", "get", "show"],
        "`forge service list` lists services, and `forge version-set list SERVICE` their sets",
    ),
    (
        "",
        &["backup", "restore"],
        "`docs/configuration.md` tells how a store is backed up",
    ),
    (
        "version-set",
        &["hold"],
        "a rollback leaves a hold; `forge version-set release-hold` lifts it",
    ),
    (
        "version-set",
        &["resolve", "get", "view"],
        "`forge version-set show SERVICE NAME` tells what a set pins, and `list SERVICE` what each means now",
    ),
    (
        "version-set",
        &["create", "update", "set", "pin", "put"],
        "`forge version-set upsert SERVICE NAME` creates or changes a set",
    ),
    (
        "service",
        &["delete", "rm", "remove"],
        "services are not deleted; `forge service update NAME --inactive` lets no conversation start",
    ),
    (
        "asset",
        &["list", "ls"],
        "`forge asset agents` lists agents, and `forge asset context-graphs` context graphs",
    ),
    (
        "asset",
        &["list-versions", "agent-versions", "context-graph-versions"],
        "`forge asset versions KIND NAME` lists them",
    ),
    (
        "asset",
        &["create", "upload", "update"],
        "`forge asset push KIND NAME --file FILE` makes a file the next version; `--create` makes a new name",
    ),
    (
        "asset",
        &["delete", "rm", "remove"],
        "versions are never deleted; `forge asset yank KIND NAME@VERSION` lets nothing new pin one",
    ),
    (
        "asset",
        &["deprecate"],
        "there is no command for it; the API has it: DELETE of an agent or a context graph",
    ),
    (
        "asset",
        &["references", "usage", "where"],
        "`forge asset versions KIND NAME` tells where each version runs",
    ),
    ("sim", &["start", "create"], "`forge sim run SET` begins a run"),
    ("sim", &["stop"], "`forge sim cancel RUN` ends a run"),
];

/// Options of other programs, and what there is here.
const OPTIONS: &[(&[&str], &str)] = &[
    (
        &["-o", "--output", "--format"],
        "`--json` prints the document of the API",
    ),
    (
        &["-e", "--profile", "--context"],
        "`--env NAME` names the profile",
    ),
    (&["--platform"], "leave it out"),
    (
        &["--graph-version"],
        "`--context-graph-version` is the version of the context graph",
    ),
    (&["--dry-run", "--plan"], "without `--apply`, nothing is changed"),
    (
        &["--body", "--file"],
        "`--from FILE` reads what a set is to pin from a file, or with `-` from stdin",
    ),
    (
        &["--no-backup"],
        "leave it out: every revision stays in the history",
    ),
    (
        &["--from", "--source", "--target"],
        "the sets are named without options: SERVICE SOURCE TARGET",
    ),
];

/// Options that make a command change something, or more.
///
/// They are never suggested.
const CHANGING: [&str; 8] = [
    "--apply",
    "--yes",
    "--prune",
    "--create",
    "--lift-hold",
    "--no-freeze",
    "--active",
    "--inactive",
];

/// Commands that change nothing, and names of groups of commands.
const READING: [&str; 24] = [
    "agents",
    "asset",
    "audit",
    "auth",
    "compare",
    "completions",
    "context-graphs",
    "diff",
    "health",
    "help",
    "history",
    "invocations",
    "list",
    "man",
    "models",
    "service",
    "show",
    "sim",
    "status",
    "verify",
    "version-set",
    "versions",
    "vs",
    "watch",
];

/// Says what is wrong with a command line, where that can be said better than clap does.
pub(crate) fn explained(arguments: &[OsString], error: &clap::Error) -> Option<Failure> {
    let typed = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let (path, command) = named(arguments);
    match error.kind() {
        ErrorKind::InvalidSubcommand => Some(unknown_word(
            &path,
            &command,
            typed(ContextKind::InvalidSubcommand)?,
        )),
        ErrorKind::UnknownArgument => {
            Some(unknown_argument(&path, &command, typed(ContextKind::InvalidArg)?))
        }
        _ => None,
    }
}

/// Returns the commands that a command line names, as far as there are such, and the last of them.
fn named(arguments: &[OsString]) -> (Vec<String>, Command) {
    let mut command = crate::Cli::command();
    // Brings options of all commands to each of them.
    command.build();
    let mut path = Vec::new();
    let mut words = arguments.iter().skip(1).filter_map(|argument| argument.to_str());
    while let Some(word) = words.next() {
        if word == "--env" {
            // Its value is no command.
            words.next();
        } else if !word.starts_with('-') {
            let Some(found) = command.find_subcommand(word) else {
                break;
            };
            path.push(found.get_name().to_owned());
            command = found.clone();
        }
    }
    (path, command)
}

fn usage(path: &[String], text: String) -> Failure {
    let mut words = vec!["forge"];
    words.extend(path.iter().map(String::as_str));
    Failure::new(Exit::Usage, text).hint(format!("`{} --help` tells what there is", words.join(" ")))
}

fn unknown_word(path: &[String], command: &Command, word: &str) -> Failure {
    let place = path.join(" ");
    let text = if place.is_empty() {
        format!("there is no command `{word}`")
    } else {
        format!("`forge {place}` has no command `{word}`")
    };
    let mut failure = usage(path, text);
    let lower = word.to_lowercase();
    let known = WORDS
        .iter()
        .find(|(before, words, _)| *before == place && words.contains(&lower.as_str()));
    if let Some((_, _, hint)) = known {
        failure.hints.insert(0, (*hint).to_owned());
        return failure;
    }
    let names = command.get_subcommands().map(Command::get_name);
    let meant = meant(word, names.filter(|name| READING.contains(name)));
    failure.hints.splice(0..0, meant);
    failure
}

fn unknown_argument(path: &[String], command: &Command, argument: &str) -> Failure {
    let Some(bare) = argument.split('=').next().filter(|bare| bare.starts_with('-')) else {
        return usage(path, format!("`{argument}` is one argument too many"));
    };
    let mut failure = usage(path, format!("there is no option `{bare}` here"));
    let own: Vec<String> = command
        .get_arguments()
        .filter_map(|option| Some(format!("--{}", option.get_long()?)))
        .collect();
    let known = OPTIONS.iter().find(|(options, hint)| {
        // What is told must be there.
        options.contains(&bare) && (!hint.contains("`--from") || own.iter().any(|option| option == "--from"))
    });
    if let Some((_, hint)) = known {
        failure.hints.insert(0, (*hint).to_owned());
        return failure;
    }
    let harmless = own
        .iter()
        .map(String::as_str)
        .filter(|option| !CHANGING.contains(option));
    failure.hints.splice(0..0, meant(bare, harmless));
    failure
}

fn meant<'n>(typed: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let names = alike(typed, names);
    Some(format!("did you mean `{}`?", names.first()?))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn hints(line: &str) -> String {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let error = crate::Cli::try_parse_from(&arguments).unwrap_err();
        explained(&arguments, &error).unwrap().hints.join("\n")
    }

    /// The commands of the tree that have none below them, with the words before them.
    fn leaves(command: &Command, before: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for sub in command.get_subcommands() {
            if sub.has_subcommands() {
                found.extend(leaves(sub, &format!("{before} {}", sub.get_name())));
            } else {
                found.push((before.to_owned(), sub.get_name().to_owned()));
            }
        }
        found
    }

    /// A word, and each of its spellings with a letter left out, twice, exchanged or another one.
    fn slips(word: &str) -> Vec<String> {
        let letters: Vec<char> = word.chars().collect();
        let mut all = vec![format!("{word}s"), format!("{word}x")];
        for position in 0..letters.len() {
            let mut slip = letters.clone();
            slip.remove(position);
            all.push(slip.iter().collect());
            slip.insert(position, 'q');
            all.push(slip.iter().collect());
            slip[position] = letters[position];
            slip.insert(position, letters[position]);
            all.push(slip.iter().collect());
            let mut slip = letters.clone();
            slip.swap(position, position.saturating_sub(1));
            all.push(slip.iter().collect());
        }
        all
    }

    #[test]
    fn no_slip_leads_to_a_command_that_changes_something() {
        let command = crate::Cli::command();
        let mut tried = 0;
        for (before, name) in leaves(&command, "forge") {
            for slip in slips(&name) {
                let line = format!("{before} {slip}");
                let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
                let Err(error) = crate::Cli::try_parse_from(&arguments) else {
                    continue;
                };
                // Even where the explanation is left to clap, it suggests nothing.
                let text = match explained(&arguments, &error) {
                    Some(failure) => failure.hints.join("\n"),
                    None => error.to_string(),
                };
                tried += 1;
                if let Some((_, rest)) = text.split_once("did you mean `") {
                    let (suggested, _) = rest.split_once('`').unwrap();
                    assert!(READING.contains(&suggested), "{line}: {text}");
                }
                assert!(
                    !text.contains("tip:") && !text.contains("similar"),
                    "{line}: {text}"
                );
            }
        }
        assert!(tried > 500, "{tried}");
    }

    #[test]
    fn no_slip_leads_to_an_option_that_changes_something() {
        for option in CHANGING {
            for slip in slips(option) {
                if !slip.starts_with("--") || slip.len() < 4 {
                    continue;
                }
                let line = format!("forge version-set promote a b c {slip}");
                let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
                let Err(error) = crate::Cli::try_parse_from(&arguments) else {
                    continue;
                };
                let text = explained(&arguments, &error).map(|failure| failure.hints.join("\n"));
                let text = text.unwrap_or_else(|| error.to_string());
                for changing in CHANGING {
                    let suggested = format!("did you mean `{changing}`");
                    assert!(!text.contains(&suggested), "{line}: {text}");
                }
            }
        }
        assert!(hints("forge vs list X --jsn").contains("did you mean `--json`?"));
    }

    #[test]
    fn every_command_that_is_suggested_is_there_and_known_to_change_nothing() {
        let command = crate::Cli::command();
        let mut names: Vec<String> = command
            .get_subcommands()
            .map(|sub| sub.get_name().to_owned())
            .collect();
        names.extend(leaves(&command, "").into_iter().map(|(_, name)| name));
        names.push("vs".to_owned());
        for reading in READING {
            assert!(names.iter().any(|name| name == reading), "{reading}");
        }
    }

    #[test]
    fn words_of_other_programs_lead_to_what_there_is() {
        for (line, part) in [
            ("forge platform version-set list X", "leave the word out"),
            ("forge login", "forge auth login"),
            ("forge whoami", "forge auth status"),
            ("forge push", "forge asset push"),
            ("forge pull", "forge export"),
            ("forge agent list", "forge asset agents"),
            ("forge service rm X", "forge service update NAME --inactive"),
            ("forge asset list-versions agent X", "forge asset versions"),
            ("forge version-sets", "did you mean `version-set`?"),
            ("forge vs list X -o json", "`--json`"),
            ("forge vs list X --output=json", "`--json`"),
            ("forge vs list X -e staging", "`--env NAME`"),
            ("forge --env prod vs list X -e staging", "`--env NAME`"),
            ("forge vs upsert X Y --body {}", "`--from FILE`"),
            ("forge vs promote X --from a --to b", "SERVICE SOURCE TARGET"),
        ] {
            let hints = hints(line);
            assert!(hints.contains(part), "{line}: {hints}");
        }
        assert!(!hints("forge vs list X -a").contains("-- -a"));
    }

    #[test]
    fn usual_words_are_commands_here() {
        for (typed, meant) in [
            ("forge vs get X release", "show"),
            ("forge vs describe X release", "show"),
            ("forge vs ls X", "list"),
            ("forge vs rm X test", "delete"),
            ("forge vs compare X a b", "diff"),
            ("forge vs create X test", "upsert"),
            ("forge vs set X test -a 2 -g 3", "upsert"),
            ("forge vs update X test", "upsert"),
            ("forge svc ls", "list"),
            ("forge service get X", "show"),
            ("forge asset get agent X", "show"),
            ("forge asset versions context_graph X", "versions"),
            ("forge sim ls", "list"),
        ] {
            let words: Vec<&str> = typed.split(' ').collect();
            let matches = crate::Cli::command().try_get_matches_from(&words).unwrap();
            let (_, noun) = matches.subcommand().unwrap();
            let (verb, _) = noun.subcommand().unwrap();
            assert_eq!(verb, meant, "{typed}");
        }
    }
}
