//! How commands fail: what is told, what to do about it, and how the process ends.

use std::error::Error;
use std::{fmt, io};

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

    /// Adds what was being done before what was wrong.
    #[must_use]
    fn while_doing(mut self, what: &str) -> Self {
        self.message = self.message.map(|message| format!("{what}: {message}"));
        self
    }

    /// Returns the failure that an error of any kind means: one sentence of it and of what caused it.
    fn of_chain(error: &(dyn Error + 'static)) -> Self {
        let chain: Vec<_> = std::iter::once(error).chain(causes(error)).collect();
        // A reader that went away is no failure of ours.
        let mut io = chain.iter().filter_map(|cause| cause.downcast_ref::<io::Error>());
        if io.any(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return Self::silent(Exit::Failed);
        }
        let texts: Vec<String> = chain.iter().map(ToString::to_string).collect();
        // What has several lines, such as a picture of where in a file something is wrong, keeps them.
        let text = texts.join(": ");
        let mut lines = text.lines().map(str::trim_end);
        let mut failure = Self::failed(lines.next().unwrap_or_default());
        failure.details.extend(lines.map(str::to_owned));
        failure
    }

    fn of_client(error: &ClientError) -> Self {
        let failure = Self {
            causes: causes(error).map(ToString::to_string).collect(),
            ..Self::new(exit_of(error), message_of(error))
        };
        failure.with_advice(error)
    }

    /// Adds what to do about an error of the client.
    fn with_advice(self, error: &ClientError) -> Self {
        match error {
            ClientError::BadAddress { .. } => self.hint("an address is like `https://forge.example.com`"),
            ClientError::Unsendable { .. } => self.hint(
                "nothing was sent; `forge auth status` tells where the values come from that requests are made of",
            ),
            ClientError::Transport { call, effect, .. } => {
                let server = call.url.split("/v1/").next().unwrap_or_default();
                let failure = match server.strip_prefix("https://") {
                    // What TLS makes of an answer that is none.
                    Some(host) if self.causes.iter().any(|cause| cause.contains("InvalidContentType")) => {
                        self.hint(format!("it seems to speak plain HTTP; is its address `http://{host}`?"))
                    }
                    _ => self,
                };
                with_effect(failure, *effect).hint(format!(
                    "is the server at {server} up? `forge auth status` tells where the address comes from"
                ))
            }
            ClientError::Busy {
                effect, retry_after, ..
            } => {
                let failure = with_effect(self, *effect);
                match retry_after {
                    Some(1) => failure.hint("try again in a second"),
                    Some(seconds) => failure.hint(format!("try again in {seconds} seconds")),
                    None => failure.hint("try again in a moment"),
                }
            }
            ClientError::NotSignedIn(_) => self
                .hint("`forge auth login` signs in anew; `forge auth status` tells whose key is in use, and from where"),
            ClientError::Forbidden(_) => {
                self.hint("`forge auth status` tells who you are; an administrator can grant the permission")
            }
            ClientError::NotFound(detail) if detail.starts_with("there is no such path") => self.hint(
                "the server's address is like `https://forge.example.com`, usually without a path; `forge auth status` tells \
                 which one is in use",
            ),
            ClientError::TooLong { effect, .. } => with_effect(self, *effect).hint(OF_A_FORGE),
            ClientError::Unexpected { .. } | ClientError::Endless { .. } => self.hint(OF_A_FORGE),
            ClientError::Refused {
                request_id: Some(id), ..
            } => self.hint(format!("the server's log has more about request {id}")),
            _ => self,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message.as_deref().unwrap_or("it failed"))
    }
}

/// Returns what caused an error, outermost first.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

/// Whatever goes wrong becomes a failure by `?`. Only what the client and the terminal report has an exit code of its
/// own.
impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        let error: &(dyn Error + 'static) = &error;
        if let Some(error) = error.downcast_ref::<ClientError>() {
            return Self::of_client(error);
        }
        let failure = Self::of_chain(error);
        match error.downcast_ref::<io::Error>() {
            // A prompt for a secret tells so of Ctrl-C.
            Some(error) if error.kind() == io::ErrorKind::Interrupted => Self {
                exit: Exit::Interrupted,
                ..failure
            },
            _ => failure,
        }
    }
}

/// Adds to whatever goes wrong what was being done.
pub(crate) trait Context<T> {
    /// Adds a text.
    fn context(self, what: &str) -> Result<T>;

    /// Adds a text that is made only if something goes wrong.
    fn with_context(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Failure>> Context<T> for std::result::Result<T, E> {
    fn context(self, what: &str) -> Result<T> {
        self.map_err(|error| error.into().while_doing(what))
    }

    fn with_context(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| error.into().while_doing(&what()))
    }
}

/// Of something that is not there, the text is all there is to say.
impl<T> Context<T> for Option<T> {
    fn context(self, what: &str) -> Result<T> {
        self.ok_or_else(|| Failure::failed(what))
    }

    fn with_context(self, what: impl FnOnce() -> String) -> Result<T> {
        self.ok_or_else(|| Failure::failed(what()))
    }
}

/// What to look at when a server answers like no Forge.
const OF_A_FORGE: &str = "`forge auth status` tells the server's address; is it that of a Forge?";

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

/// Returns what was wrong as a sentence: mostly what the server says.
fn message_of(error: &ClientError) -> String {
    match error {
        // The plan is shown; its digest is nothing that people send.
        ClientError::Conflict { plans, .. } if !plans.is_empty() => {
            "the plan has changed since you saw it".to_owned()
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_of_a_fault_keeps_its_lines() {
        let cause = toml::from_str::<toml::Table>("a = 1\nb = =").unwrap_err();
        let read: std::result::Result<(), _> = Err(cause);
        let failure = read.context("forge.toml is not valid").unwrap_err();
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
}
