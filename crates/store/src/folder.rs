//! The folder of the embedded database.

use std::fs::File;
use std::path::Path;

use crate::open_error::OpenError;

/// Creates the folder, readable by its owner only: it holds configuration and, by default, the master key.
pub(crate) fn create_private_folder(folder: &Path) -> Result<(), OpenError> {
    let file_error = |source| OpenError::File {
        path: folder.to_owned(),
        source,
    };
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(file_error)
}

/// Creates the database file, if it is not there, readable by its owner only; its log files take after it.
pub(crate) fn create_private_file(path: &Path) -> Result<(), OpenError> {
    let mut options = File::options();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let made = options.open(path);
    made.map(drop).map_err(|source| OpenError::File {
        path: path.to_owned(),
        source,
    })
}

/// Locks the folder for as long as the file is open, so that no second process writes to it.
pub(crate) fn lock_folder(folder: &Path) -> Result<File, OpenError> {
    let path = folder.join("forge.lock");
    let file_error = |source| OpenError::File {
        path: path.clone(),
        source,
    };
    create_private_file(&path)?;
    let lock = File::options().write(true).open(&path).map_err(file_error)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(OpenError::InUse(folder.to_owned())),
        Err(std::fs::TryLockError::Error(source)) => Err(file_error(source)),
    }
}
