//! A client of the API.
//!
//! It signs in by itself, keeps the token, and sends a request again where that can do no harm: after
//! trouble with the network, and when the server asks for a pause. What the server refuses comes back as a
//! [`ClientError`] that says which kind of refusal it is and carries what came with it, such as the fresh plan.
//!
//! Answers are read tolerantly: fields that this client does not know are ignored, and those that an older server does
//! not send yet are optional. So it works with the server of the same and of the previous minor version. [`Document`]
//! keeps the answer as it was sent beside what was understood of it.
//!
//! No answer is read without end, in bytes, pages or time ([`Bounds`]), and no error has the API key or the token in it,
//! whatever the server sends back.
//!
//! With `default-features = false` it is light enough for any runtime, and speaks plain HTTP without a proxy. `tls` adds
//! servers whose address begins with `https`, `proxy` the proxies that `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`
//! name, and `token-cache` tokens on disk.
//!
//! **Adding a call:** a method in the file of its noun, and the fields that its callers need in [`answers`]. Say by
//! `Repeat` whether it may be sent twice.

#![warn(clippy::missing_errors_doc)]

mod address;
pub mod answers;
mod assets;
pub mod audit;
pub mod behaviors;
mod body;
mod bounds;
mod connector;
mod credentials;
pub mod diff;
mod document;
mod error;
pub mod health;
mod http;
mod late;
mod link;
pub mod models;
mod page;
mod promotion;
mod proxy;
mod request;
mod resolve_cache;
mod secrets;
mod services;
mod session;
pub mod simulations;
mod sse;
mod stream;
#[cfg(feature = "tls")]
mod tls;
mod token;
#[cfg(feature = "token-cache")]
mod token_cache;
mod version_sets;
pub mod watch;

pub use ::http::Method;
pub use assets::{Created, VersionCreated, Yanked};
pub use bounds::Bounds;
pub use credentials::Credentials;
pub use document::Document;
pub use error::{ClientError, Effect, Fault};
pub use forge_types::SystemClock;
pub use http::HttpError;
pub use page::{Page, Pages};
pub use promotion::{Promote, PromotionOfMany, PromotionOptions, Promotions, Rollback};
pub use resolve_cache::{ResolveCache, Resolved};
pub use services::{ServiceChange, ServiceFields, ServiceFilter};
pub use session::{Client, OnWait, Options, Waiting};
#[cfg(feature = "token-cache")]
pub use token_cache::TokenCache;
pub use version_sets::{ChangeOptions, Expected};
