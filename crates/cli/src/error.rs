//! How commands fail: what is told, what to do about it, and how the process ends.

use std::error::Error;
use std::io;

use forge_client::{ClientError, Effect};

/// How the process ends.
///
/// `forge help exit-codes` tells the meanings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All went well.
    Ok = 0,
    /// It failed, or a rule forbids it.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Not signed in, or not permitted.
    NotPermitted = 4,
    /// Something moved meanwhile.
    Conflict = 5,
    /// Somebody pressed Ctrl-C.
    Interrupted = 130,
}

impl Exit {
    /// What was asked about is degraded.
    pub(crate) const DEGRADED: Self = Self::Failed;
    /// What was asked about is unhealthy.
    pub(crate) const UNHEALTHY: Self = Self::Usage;
}

/// What the commands return.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// A command failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// What was wrong, as a sentence without its full stop, or `None` if all has been said already.
    pub(crate) message: Option<String>,
    /// What caused it, outermost first.
    pub(crate) causes: Vec<String>,
    /// What belongs to it, such as candidates, a line each.
    pub(crate) details: Vec<String>,
    /// What to do about it.
    pub(crate) hints: Vec<String>,
}

impl Failure {
    /// A failure of this kind.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: Some(message.into()),
            causes: Vec::new(),
            details: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// An ordinary failure.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// The end of a command that has said everything already.
    pub(crate) fn silent(exit: Exit) -> Self {
        Self {
            exit,
            message: None,
            causes: Vec::new(),
            details: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    fn caused_by(mut self, error: &dyn Error) -> Self {
        let mut cause = error.source();
        while let Some(error) = cause {
            self.causes.push(error.to_string());
            cause = error.source();
        }
        self
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        // A reader that went away is no failure of ours.
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::silent(Exit::Failed);
        }
        // A prompt for a secret tells so of Ctrl-C.
        let exit = match error.kind() {
            io::ErrorKind::Interrupted => Exit::Interrupted,
            _ => Exit::Failed,
        };
        Self::new(exit, error.to_string()).caused_by(&error)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let is_broken_pipe = error.chain().any(|cause| {
            cause
                .downcast_ref::<io::Error>()
                .is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
        });
        if is_broken_pipe {
            return Self::silent(Exit::Failed);
        }
        // What has several lines, such as a picture of where in a file something is wrong, keeps them.
        let text = format!("{error:#}");
        let mut lines = text.lines().map(str::trim_end);
        let mut failure = Self::failed(lines.next().unwrap_or_default());
        failure.details.extend(lines.map(str::to_owned));
        failure
    }
}

/// What to look at when a server answers like no Forge.
const OF_A_FORGE: &str = "`forge auth status` tells the server's address; is it that of a Forge?";

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let failure = Self::new(exit_of(&error), for_people(&error.to_string())).caused_by(&error);
        match &error {
            ClientError::BadAddress { .. } => failure.hint("an address is like `https://forge.example.com`"),
            ClientError::Unsendable { .. } => failure.hint(
                "nothing was sent; `forge auth status` tells where the values come from that requests are made of",
            ),
            ClientError::Transport { call, effect, .. } => {
                let server = call.url.split("/v1/").next().unwrap_or_default();
                let failure = match server.strip_prefix("https://") {
                    // What TLS makes of an answer that is none.
                    Some(host) if failure.causes.iter().any(|cause| cause.contains("InvalidContentType")) => {
                        failure.hint(format!("it seems to speak plain HTTP; is its address `http://{host}`?"))
                    }
                    _ => failure,
                };
                with_effect(failure, *effect).hint(format!(
                    "is the server at {server} up? `forge auth status` tells where the address comes from"
                ))
            }
            ClientError::Busy {
                effect, retry_after, ..
            } => {
                let failure = with_effect(failure, *effect);
                match retry_after {
                    Some(1) => failure.hint("try again in a second"),
                    Some(seconds) => failure.hint(format!("try again in {seconds} seconds")),
                    None => failure.hint("try again in a moment"),
                }
            }
            ClientError::NotSignedIn(_) => failure
                .hint("`forge auth login` signs in anew; `forge auth status` tells whose key is in use, and from where"),
            ClientError::Forbidden(_) => {
                failure.hint("`forge auth status` tells who you are; an administrator can grant the permission")
            }
            ClientError::NotFound(detail) if detail.starts_with("there is no such path") => failure.hint(
                "the server's address is like `https://forge.example.com`, usually without a path; `forge auth status` tells \
                 which one is in use",
            ),
            ClientError::TooLong { effect, .. } => with_effect(failure, *effect).hint(OF_A_FORGE),
            ClientError::Unexpected { .. } | ClientError::Endless { .. } => failure.hint(OF_A_FORGE),
            ClientError::Refused {
                request_id: Some(id), ..
            } => failure.hint(format!("the server's log has more about request {id}")),
            _ => failure,
        }
    }
}

fn exit_of(error: &ClientError) -> Exit {
    match error {
        ClientError::NotSignedIn(_) | ClientError::Forbidden(_) | ClientError::BadAddress { .. } => {
            Exit::NotPermitted
        }
        ClientError::Conflict { .. } | ClientError::SetMoved { .. } | ClientError::YankMoved { .. } => {
            Exit::Conflict
        }
        _ => Exit::Failed,
    }
}

fn with_effect(failure: Failure, effect: Effect) -> Failure {
    match effect {
        Effect::Reads => failure,
        Effect::NotApplied => failure.hint("nothing was changed"),
        Effect::Unknown => failure.hint("the change may have been made or not; look before you try again"),
    }
}

/// What the server says to programs, and how it is said here.
const OF_THE_API: [(&str, &str); 4] = [
    ("; look at this one and send its digest", ""),
    ("lift_hold=true", "`--lift-hold`"),
    (
        "admin/get_models lists those there are",
        "`forge version-set models` lists those there are",
    ),
    ("see /v1/openapi.json", "the API is described at /v1/openapi.json"),
];

/// Returns what the server said in the words of the command line.
pub(crate) fn for_people(text: &str) -> String {
    let mut text = text.to_owned();
    for (said, meant) in OF_THE_API {
        text = text.replace(said, meant);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_of_a_fault_keeps_its_lines() {
        let cause = toml::from_str::<toml::Table>("a = 1\nb = =").unwrap_err();
        let failure = Failure::from(anyhow::Error::from(cause).context("forge.toml is not valid"));
        let message = failure.message.unwrap();
        assert!(
            message.starts_with("forge.toml is not valid: TOML parse error at line 2"),
            "{message}"
        );
        let caret = failure
            .details
            .iter()
            .position(|line| line.contains('^'))
            .unwrap();
        let source = &failure.details[caret - 1];
        assert!(source.contains("b = ="), "{source}");
        let column = |line: &str, c: char| line.find(c).unwrap();
        assert_eq!(column(&failure.details[caret], '^'), source.rfind('=').unwrap());
    }

    #[test]
    fn what_the_server_says_to_programs_is_said_in_the_words_of_the_command_line() {
        assert_eq!(
            for_people("the plan has changed since you saw it; look at this one and send its digest"),
            "the plan has changed since you saw it"
        );
        assert_eq!(for_people("pass lift_hold=true"), "pass `--lift-hold`");
        let unknown = "there is no model `x`; admin/get_models lists those there are";
        assert_eq!(
            for_people(unknown),
            "there is no model `x`; `forge version-set models` lists those there are"
        );
    }
}
