//! Users.

pub(crate) mod sign_in;
