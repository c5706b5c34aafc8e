//! Writing files: whole or not at all, and where they were asked for.

use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::input;

/// Writes a file.
///
/// Whoever reads it finds all of it, or what was there before.
///
/// # Errors
/// Fails, beside trouble with the disk, where something stands that is no file: a link would lead elsewhere, and a device would
/// be gone.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut builder = tempfile::Builder::new();
    let before = before(path)?;
    #[cfg(unix)]
    let builder = builder.permissions(before.unwrap_or_else(|| {
        // What the user's mask leaves of it.
        std::os::unix::fs::PermissionsExt::from_mode(0o666)
    }));
    let mut file = builder.tempfile_in(folder(path))?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

/// Ensures that a file can be written, before anything is done for it.
pub(crate) fn check(path: &Path) -> io::Result<()> {
    before(path)?;
    fs::metadata(folder(path)).map(|_| ())
}

/// Begins a file that only its owner can read, and that takes its place once it is whole, by `persist`.
pub(crate) fn begin_private(path: &Path) -> io::Result<NamedTempFile> {
    before(path)?;
    NamedTempFile::new_in(folder(path))
}

/// Returns who may use the file that stands at a place, if one does.
fn before(path: &Path) -> io::Result<Option<Permissions>> {
    match fs::symlink_metadata(path) {
        Ok(found) => {
            input::regular(&found)?;
            Ok(Some(found.permissions()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write(&path, b"1").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        write(&path, b"2").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"2");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        let (link, dangling) = (folder.path().join("link"), folder.path().join("dangling"));
        symlink(&path, &link).unwrap();
        symlink(folder.path().join("b"), &dangling).unwrap();
        for bad in [&link, &dangling] {
            assert_eq!(
                write(bad, b"3").unwrap_err().to_string(),
                "it is a link, not a file"
            );
            assert!(begin_private(bad).is_err());
        }
        assert_eq!(fs::read(&path).unwrap(), b"2");
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            3,
            "nothing is left behind"
        );
    }
}
