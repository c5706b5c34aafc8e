//! Whether the files of the embedded database are still those that were opened.
//!
//! A file that was removed or replaced stays open: what is written to it is gone when the process ends. So the writer
//! looks before and after each commit, and nobody is told of a write that nobody can find later.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{OpenError, StoreError};

/// The files as they were when the store was opened. An empty one, of a database in memory, is never lost.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    files: Arc<[(PathBuf, Identity)]>,
    /// Whether somebody has seen that they are not there, so that it is told once.
    is_told: Arc<AtomicBool>,
}

/// Device and number of a file: another file of that name has others.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

/// Elsewhere, open files cannot be removed.
#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<Identity> {
    std::fs::metadata(path).map(|_| (0, 0))
}

impl Place {
    /// Notes which files are in a folder; its database is open, so its log is there too.
    pub(crate) fn of(folder: &Path) -> Result<Self, OpenError> {
        let mut files = Vec::new();
        for name in ["forge.db", "forge.db-wal", "forge.db-shm", "forge.lock"] {
            let path = folder.join(name);
            let identity = identity(&path).map_err(|source| OpenError::File {
                path: path.clone(),
                source,
            })?;
            files.push((path, identity));
        }
        Ok(Self {
            files: files.into(),
            is_told: Arc::default(),
        })
    }

    /// Returns true if all files are still the ones that were opened.
    pub(crate) fn is_there(&self) -> bool {
        let missing = self
            .files
            .iter()
            .find(|(path, opened)| !identity(path).is_ok_and(|found| found == *opened));
        let was_told = self.is_told.swap(missing.is_some(), Ordering::Relaxed);
        match missing {
            Some((path, _)) if !was_told => tracing::error!(
                path = %path.display(),
                "the data folder was removed or replaced under the running server: nothing is written any more; put \
                 the very same files back, or stop the server and start it on what is there"
            ),
            None if was_told => tracing::warn!("the data folder is back; writes go on"),
            _ => {}
        }
        missing.is_none()
    }

    /// Returns the folder; nothing of a database in memory, or that is only looked at.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.files.first().and_then(|(path, _)| path.parent())
    }

    /// Fails unless all files are still the ones that were opened.
    pub(crate) fn require(&self) -> Result<(), StoreError> {
        if self.is_there() {
            return Ok(());
        }
        Err(StoreError::Unavailable(Arc::new(gone())))
    }
}

/// Returns what stands for the loss of the files where the database itself notices nothing.
pub(crate) fn gone() -> sqlx::Error {
    sqlx::Error::Io(io::Error::other("the data folder was removed or replaced"))
}
