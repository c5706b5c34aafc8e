//! The randomness of the real world.

use aws_lc_rs::rand::SecureRandom as _;
use forge_domain::{Id, id};

use crate::{App, AppError};

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
