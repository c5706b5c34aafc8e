//! Agents.

pub(crate) mod create_version;
