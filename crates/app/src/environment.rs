//! What use cases need beside the store, and the randomness of the real world.

use std::sync::Arc;

use aws_lc_rs::rand::SecureRandom as _;
use forge_domain::{Clock, Id, id};
use forge_runtime::Runtime;

use crate::access::keyring::Keyring;
use crate::snapshot::Snapshots;
use crate::{App, AppError, Catalogues};

/// What use cases need beside the store.
#[derive(Clone)]
pub struct Environment {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where random bytes come from.
    pub random: Arc<dyn Random>,
    /// What opens the secrets in the store.
    pub keyring: Arc<Keyring>,
    /// What the installation offers.
    pub catalogues: Arc<Catalogues>,
    /// What conversations run with.
    pub runtime: Arc<Runtime>,
    /// What is kept in memory of the store.
    pub snapshots: Arc<Snapshots>,
}

/// Where random bytes come from.
pub trait Random: Send + Sync {
    /// Fills the buffer with bytes that nobody can guess.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), AppError>;
}

/// The operating system's randomness.
#[derive(Debug, Default)]
pub struct OsRandom(aws_lc_rs::rand::SystemRandom);

impl Random for OsRandom {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), AppError> {
        self.0
            .fill(buffer)
            .map_err(|_| AppError::internal("the operating system gives no random bytes"))
    }
}

impl App {
    /// Returns `N` bytes that nobody can guess.
    pub(crate) fn random_bytes<const N: usize>(&self) -> Result<[u8; N], AppError> {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Returns a new id.
    pub(crate) fn new_id<K: id::Kind>(&self) -> Result<Id<K>, AppError> {
        Ok(Id::new(self.clock.now(), self.random_bytes()?))
    }
}
