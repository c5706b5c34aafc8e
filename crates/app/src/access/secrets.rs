//! Secrets of API keys.

use forge_domain::hex;
use sha2::{Digest as _, Sha256};

/// Returns what is stored of an API key's secret: its SHA-256, in hex.
///
/// The secret is random, so that is enough.
pub(crate) fn hash_secret(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}
