//! The document of the API, and requests seen through it.

mod bounds;
mod document;
mod finding;
mod likeness;
mod operation;
mod own;
mod reading;
mod request;
mod schema;
mod times;

pub use document::{Contract, contract};
pub use operation::{Body, Location, Operation, Parameter};
pub use own::mentions_terms;
pub use request::Query;
