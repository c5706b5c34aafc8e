//! The sources of the command line, for the tests that look at them.

use std::path::{Path, PathBuf};

/// Returns every source file, by its path below `src`, with its text.
pub(crate) fn sources() -> Vec<(PathBuf, String)> {
    sources_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

/// Returns every file below a folder, by its path from there, with its text.
pub(crate) fn sources_below(source: &Path) -> Vec<(PathBuf, String)> {
    let mut folders = vec![source.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(source).unwrap().to_owned(), text));
            }
        }
    }
    found
}
