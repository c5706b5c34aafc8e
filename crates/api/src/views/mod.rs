//! How things are told that answers of several endpoints, and refusals, have in common.

mod version_set;
mod yank;

pub(crate) use version_set::set_instance;
pub(crate) use yank::yank_instance;
