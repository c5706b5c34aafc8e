//! Calling models: which provider serves which, retries, and what every call leaves behind.

mod asking;
mod breaker;
mod call;
mod frames;
mod hosted;
mod options;
mod protocol;
mod registry;
mod request;
mod script;
mod session;
mod settings;
mod stream;

pub(crate) use request::{Hints, Pieces, Request};
pub(crate) use session::Session;

pub use registry::{InvalidModels, ModelRoute, Models};
pub use script::{InvalidScript, Script};
pub use settings::{AnswerFormat, ProviderKind, ProviderSettings};
