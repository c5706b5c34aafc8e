//! Agents and context graphs, as far as they are alike.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod list_versions;
pub(crate) mod references;
pub(crate) mod yank;
