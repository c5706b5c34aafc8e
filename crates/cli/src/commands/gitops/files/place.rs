//! Files that are in a folder indeed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::input;

/// Returns where something in a folder is, and ensures that it is there: nothing on the way to it, nor itself, is a
/// link.
///
/// The folder may be one, as somebody named it.
pub(super) fn below(root: &Path, path: &Path) -> io::Result<PathBuf> {
    let mut place = root.to_owned();
    for part in path.components() {
        place.push(part);
        match fs::symlink_metadata(&place) {
            Ok(found) if found.is_symlink() => {
                return Err(io::Error::other("it is a link, and an export has none"));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        }
    }
    Ok(root.join(path))
}

/// Reads a file in a folder.
pub(super) fn read(root: &Path, path: &Path) -> io::Result<Vec<u8>> {
    input::file(&below(root, path)?, input::LONGEST)
}
