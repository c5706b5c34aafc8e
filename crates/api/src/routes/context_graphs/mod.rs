//! Context graphs.

pub(crate) mod create_version;
