//! Users.

pub(crate) mod delete;
pub(crate) mod invite;
pub(crate) mod list;
pub(crate) mod sign_in;
pub(crate) mod update;

use serde::Deserialize;

/// The path of a user.
#[derive(Deserialize)]
pub(crate) struct UserPath {
    pub(crate) requested_user_id: String,
}
