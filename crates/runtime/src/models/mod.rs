//! Calling models: which provider serves which, retries, and what every call leaves behind.

mod breaker;
mod call;
mod hosted;
mod options;
mod protocol;
mod registry;
mod request;
mod script;
mod session;

pub(crate) use request::{Hints, Pieces, Request};
pub(crate) use session::Session;

pub use hosted::{AnswerFormat, ProviderKind, ProviderSettings};
pub use registry::{InvalidModels, ModelRoute, Models};
pub use script::{InvalidScript, Script};
