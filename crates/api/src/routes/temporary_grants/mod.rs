//! Temporary permission grants.

pub(crate) mod create;
pub(crate) mod list;
