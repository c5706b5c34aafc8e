//! What can go wrong.

use std::fmt;

use http::Method;

use crate::HttpError;
use crate::answers::{Plan, VersionSet, Yank};

/// A request, as messages name it.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its method.
    pub method: Method,
    /// What was asked.
    pub url: String,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

/// What a request that got no answer has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It only reads.
    Reads,
    /// Nothing: it did not reach the server, or the server put it off.
    NotApplied,
    /// All of it, or nothing: nobody can tell from here.
    Unknown,
}

/// One fault of a request that the server could not accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where it is, such as `body.name`.
    pub place: String,
    /// What is wrong there.
    pub message: String,
}

/// A request failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address of the server cannot be one.
    #[error("`{address}` is no address of a server: {reason}")]
    BadAddress {
        /// The address, without a password in it.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A request cannot be made of what it has to hold. Nothing was sent.
    #[error("{call} cannot be sent")]
    Unsendable {
        /// What was to be asked.
        call: Call,
        /// Why.
        #[source]
        source: HttpError,
    },
    /// The program cannot make any requests.
    #[error("cannot set up HTTP")]
    Setup(#[source] HttpError),
    /// The server could not be reached, or its answer was lost.
    #[error("no answer to {call} in {}", attempts_text(*attempts))]
    Transport {
        /// What was asked.
        call: Call,
        /// How often it was tried.
        attempts: u32,
        /// What was changed.
        effect: Effect,
        /// Why.
        #[source]
        source: HttpError,
    },
    /// The rest of an answer was lost.
    #[error("the answer to {call} broke off")]
    BrokenOff {
        /// What was asked.
        call: Call,
        /// Why.
        #[source]
        source: HttpError,
    },
    /// A stream did not begin, or did not go on.
    #[error("nothing came of {call} for {seconds} seconds")]
    Silent {
        /// What was asked.
        call: Call,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The server said for too long that it cannot answer now (429 and 503).
    #[error("{call} was put off in {}: {detail}", attempts_text(*attempts))]
    Busy {
        /// What was asked.
        call: Call,
        /// How often it was tried.
        attempts: u32,
        /// What was changed.
        effect: Effect,
        /// How many seconds to wait, if the server said so.
        retry_after: Option<u64>,
        /// What the server said.
        detail: String,
    },
    /// The credentials are not valid (401).
    #[error("{0}")]
    NotSignedIn(String),
    /// The user may not do this (403).
    #[error("{0}")]
    Forbidden(String),
    /// There is no such thing (404, 410).
    #[error("{0}")]
    NotFound(String),
    /// Rules forbid the change (400).
    #[error("{detail}")]
    Blocked {
        /// What the server said.
        detail: String,
        /// The plans that are blocked, if the change has any.
        plans: Vec<Plan>,
    },
    /// Something is not as the caller saw it (409).
    #[error("{detail}")]
    Conflict {
        /// What the server said.
        detail: String,
        /// The plans as they are now, if the change has any.
        plans: Vec<Plan>,
    },
    /// The set is not at the revision that the caller expects (412).
    #[error("{detail}")]
    SetMoved {
        /// What the server said.
        detail: String,
        /// The set as it is now, if it is there.
        version_set: Option<Box<VersionSet>>,
    },
    /// The yank of a version is not the one that the caller saw (412).
    #[error("{detail}")]
    YankMoved {
        /// What the server said.
        detail: String,
        /// How the version is yanked now, if it is and the caller may see it.
        yanked: Option<Yank>,
    },
    /// The request has faults (422).
    #[error("the server does not accept the request: {}", faults_text(.0))]
    Invalid(Vec<Fault>),
    /// The server refused for another reason.
    #[error("{call} was answered with {status}: {detail}")]
    Refused {
        /// What was asked.
        call: Call,
        /// The status of the answer.
        status: u16,
        /// What the server said.
        detail: String,
        /// The request's id in the server's log.
        request_id: Option<String>,
    },
    /// The answer is longer than any that is read.
    #[error(
        "{call} was answered with {status} and more than {longest} bytes, the rest of which was not read"
    )]
    TooLong {
        /// What was asked.
        call: Call,
        /// The status of the answer.
        status: u16,
        /// How long an answer may be, in bytes.
        longest: usize,
        /// What was changed.
        effect: Effect,
    },
    /// A list does not end.
    #[error("the list of {call} does not end: {why}")]
    Endless {
        /// What was asked.
        call: Call,
        /// What shows it.
        why: String,
    },
    /// The answer is not what the API documents.
    #[error("{call} was answered with {status} and something else than the API documents")]
    Unexpected {
        /// What was asked.
        call: Call,
        /// The status of the answer.
        status: u16,
        /// What could not be read.
        #[source]
        source: serde_json::Error,
    },
}

impl ClientError {
    /// Returns `true` if nobody knows whether the call was carried out.
    pub fn is_outcome_unknown(&self) -> bool {
        match self {
            Self::Transport { effect, .. } | Self::Busy { effect, .. } | Self::TooLong { effect, .. } => {
                matches!(effect, Effect::Unknown)
            }
            _ => false,
        }
    }

    /// Returns `true` if what went wrong can be over in a while: the network, or a server that cannot answer now.
    pub fn can_pass(&self) -> bool {
        match self {
            Self::Transport { .. } | Self::Busy { .. } | Self::BrokenOff { .. } | Self::Silent { .. } => true,
            // A proxy before a server that starts anew.
            Self::Refused { status, .. } | Self::Unexpected { status, .. } | Self::TooLong { status, .. } => {
                *status >= 500
            }
            _ => false,
        }
    }
}

fn attempts_text(attempts: u32) -> String {
    match attempts {
        1 => "one attempt".to_owned(),
        many => format!("{many} attempts"),
    }
}

fn faults_text(faults: &[Fault]) -> String {
    let texts: Vec<String> = faults
        .iter()
        .map(|fault| format!("{}: {}", fault.place, fault.message))
        .collect();
    texts.join("; ")
}
