//! The document of the API, and requests seen through it.

mod document;
mod finding;
mod operation;
mod reading;

pub use document::{Contract, contract};
pub use operation::{Body, Location, Operation, Parameter};
