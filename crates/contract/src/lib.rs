//! The document of the API, and requests seen through it.
//!
//! [`contract`] is the API's document: the public Classic contract, stripped of its prose, and Forge's extensions. It
//! is not only served: requests are normalised and validated by it, so what is documented and what is accepted cannot
//! drift apart. It is a crate of its own so that whoever embeds the client compiles no schema validator.
//!
//! **Adding an operation:** Classic operations stand in `classic.json` already; an extension gets its entry in
//! `extensions.json`. Then add the request's and the answer's types to the file of the noun in `forge-wire`.

mod bounds;
mod document;
mod finding;
mod likeness;
mod operation;
mod own;
mod parameter;
mod reading;
mod reference;
mod request;
mod schema;
mod times;

pub use document::{Contract, contract};
pub use operation::{Body, Operation};
pub use own::mentions_terms;
pub use parameter::{Location, Parameter};
pub use request::Query;
