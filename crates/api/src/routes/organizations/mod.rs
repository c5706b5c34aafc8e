//! Organizations.

pub(crate) mod get;
