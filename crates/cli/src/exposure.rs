//! Files of an installation that others on the machine may read or change.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Everybody may read.
const READ: u32 = 0o004;

/// Everybody may write.
const WRITE: u32 = 0o002;

/// Returns what is wrong with who may use the files of an installation, and what to do; a warning, not an error,
/// because some file systems know no permissions.
pub(crate) fn warnings(folder: &Path, key_file: &Path, config: &Path) -> Vec<String> {
    let database = folder.join("forge.db");
    let kept = [
        (
            folder,
            WRITE,
            "go-w",
            "whoever can write there can replace all that Forge keeps",
        ),
        (
            config,
            WRITE,
            "go-w",
            "it says who serves models and what tools do",
        ),
        (
            key_file,
            READ | WRITE,
            "600",
            "it opens every secret in the store",
        ),
        (&database, READ | WRITE, "600", "it holds every conversation"),
    ];
    kept.iter()
        .filter_map(|(path, refused, remedy, why)| {
            // What is missing is told by whoever needs it.
            let mode = std::fs::metadata(path).ok()?.permissions().mode();
            let may = match mode & refused {
                0 => return None,
                READ => "read",
                _ => "write to",
            };
            let path = path.display();
            Some(format!(
                "everybody on this machine may {may} {path} ({:03o}), and {why}; `chmod {remedy} {path}`",
                mode & 0o777
            ))
        })
        .collect()
}
