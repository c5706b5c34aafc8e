//! Changes of an organization.

pub(crate) mod watch;
