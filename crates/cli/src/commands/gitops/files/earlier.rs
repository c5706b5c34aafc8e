//! What is in a folder before an export.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::place::{below, read};
use super::slug::slug;
use super::{KINDS, MARK, Mark, SERVICES, places};
use crate::error::{Failure, Result};
use crate::input;

/// What is in a folder before an export.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    root: PathBuf,
    /// Every `.json` in the folders of an export.
    pub(super) files: BTreeSet<PathBuf>,
    /// What exports wrote, by their own account.
    pub(super) noted: BTreeSet<String>,
}

impl Earlier {
    /// Looks at a folder.
    ///
    /// What is in it and no export is left as it is.
    pub(super) fn find(root: &Path) -> Result<Self> {
        let [agents, graphs] = KINDS.map(|kind| places(kind).0);
        let folders = [agents, graphs, SERVICES];
        let is_there = |name: &str| root.join(name).symlink_metadata().is_ok();
        if !is_there(MARK) {
            let taken = folders.into_iter().find(|name| is_there(name));
            return match taken {
                None => Ok(Self::default()),
                Some(taken) => Err(Failure::failed(format!(
                    "{} has a folder `{taken}` and no `{MARK}`: it is no export, and is left as it is",
                    root.display()
                ))
                .hint("name another folder by `-o`")),
            };
        }
        let fault = |path: &str, text: String| {
            Failure::failed(format!("{}: {text}", root.join(path).display()))
                .hint("nothing was changed; put it right, or name another folder by `-o`")
        };
        let mark = read(root, Path::new(MARK)).map_err(|error| error.to_string());
        let mark: Mark = mark.and_then(input::document).map_err(|text| fault(MARK, text))?;
        if let Some(text) = mark.fault() {
            return Err(fault(MARK, text));
        }
        let mut files = BTreeSet::new();
        for name in folders {
            below(root, Path::new(name))
                .and_then(|_| collect(root, Path::new(name), &mut files))
                .map_err(|error| fault(name, error.to_string()))?;
        }
        Ok(Self {
            root: root.to_owned(),
            files,
            noted: mark.files.into_iter().collect(),
        })
    }

    /// Returns the folders of things of a kind, each of which is named in a file.
    pub(super) fn folders(&self, kind: &str, file: &str) -> Folders {
        let mut folders = Folders::default();
        for path in self.files.iter().filter(|path| path.ends_with(file)) {
            let mut parts = path.iter().filter_map(|part| part.to_str());
            if let (Some(found), Some(folder), Some(_), None) =
                (parts.next(), parts.next(), parts.next(), parts.next())
                && found == kind
            {
                folders.taken.insert(folder.to_lowercase());
                if let Some(name) = self.name(path) {
                    folders.known.entry(name).or_insert_with(|| folder.to_owned());
                }
            }
        }
        folders
    }

    /// Returns the name that a file says, or `None` if it says none.
    fn name(&self, path: &Path) -> Option<String> {
        #[derive(Deserialize)]
        struct Named {
            name: String,
        }
        let bytes = read(&self.root, path).ok()?;
        input::document::<Named>(bytes).ok().map(|named| named.name)
    }
}

/// Which thing is in which folder: what has one keeps it, whatever it is called.
#[derive(Debug, Default)]
pub(super) struct Folders {
    known: BTreeMap<String, String>,
    taken: BTreeSet<String>,
}

impl Folders {
    /// Returns the folder of a thing.
    pub(super) fn of(&mut self, name: &str) -> String {
        self.known
            .remove(name)
            .unwrap_or_else(|| slug(name, &mut self.taken))
    }
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    let entries = match fs::read_dir(root.join(folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        let kind = entry.file_type()?;
        // Links are not followed: what they lead to is not ours.
        if kind.is_dir() {
            collect(root, &path, found)?;
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "json") {
            found.insert(path);
        }
    }
    Ok(())
}
