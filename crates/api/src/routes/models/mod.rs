//! Models.

pub(crate) mod list;
