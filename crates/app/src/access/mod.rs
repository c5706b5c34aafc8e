//! Who calls, how they prove it, and what they may do.

pub(crate) mod caller;
pub(crate) mod claims;
pub(crate) mod keyring;
pub(crate) mod privileges;
pub(crate) mod resource;
pub(crate) mod secrets;
pub mod sign_in;
pub(crate) mod tokens;
