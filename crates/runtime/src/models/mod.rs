//! Calling models: which provider serves which, retries, and what every call leaves behind.

mod asking;
mod breaker;
mod call;
mod client;
mod frames;
mod hosted;
mod options;
mod protocol;
mod registry;
mod request;
mod script;
mod settings;
mod stream;

pub(crate) use client::ModelClient;
pub(crate) use request::{Hints, Pieces, Request};

pub use registry::{InvalidModels, ModelRoute, Models};
pub use script::{InvalidScript, Script};
pub use settings::{AnswerFormat, ProviderKind, ProviderSettings};
