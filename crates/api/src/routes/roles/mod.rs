//! Roles.

pub(crate) mod assign;
pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod modify;

use serde::Deserialize;

/// The path of a role.
#[derive(Deserialize)]
pub(crate) struct RolePath {
    pub(crate) role_name: String,
}
