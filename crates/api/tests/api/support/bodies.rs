//! The bodies of requests.

/// The longest body that the server under test admits, in bytes.
pub(crate) const MAX_BODY: usize = 256 * 1024;
