//! Writing files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use forge_client::answers::Pins;
use forge_domain::SetName;
use forge_domain::asset::AssetKind;
use serde::Serialize;

use super::earlier::Earlier;
use super::place::below;
use super::slug::set_stem;
use super::{AssetFile, FORMAT, KINDS, MARK, Mark, SERVICE, SERVICES, SETS, places};
use crate::commands::gitops::tree::{Asset, Service, Tree};
use crate::error::{Failure, Result};
use crate::ui::escaped_json;
use crate::{input, whole};

/// What became of a folder.
pub(in crate::commands::gitops) struct Written {
    /// How many files were written or removed: none if all of them are as they have to be.
    pub(in crate::commands::gitops) changed: usize,
    /// Files that are not on the server, and that no export wrote. They were left alone.
    pub(in crate::commands::gitops) left: Vec<PathBuf>,
}

/// Writes everything, and removes what an earlier export wrote that is not there any more.
pub(in crate::commands::gitops) fn write(folder: &Path, tree: &Tree) -> Result<Written> {
    let earlier = Earlier::find(folder)?;
    let new = contents(tree, &earlier)?;
    // Everything is looked at before anything is changed.
    wanted(folder, &new)?;
    let gone = earlier.files.iter().filter(|path| !new.contains_key(*path));
    let (removed, left): (Vec<&PathBuf>, Vec<&PathBuf>) =
        gone.partition(|path| earlier.noted.contains(&noted(path)));
    // First, as where capitals do not count, what is removed may be what is to be written under another name.
    for path in &removed {
        let path = folder.join(path);
        fs::remove_file(&path).map_err(|error| failed("remove", &path, &error))?;
        // What is empty now goes, too; what is not, stays.
        for parent in path.ancestors().skip(1).take_while(|parent| *parent != folder) {
            if fs::remove_dir(parent).is_err() {
                break;
            }
        }
    }
    let mut wanted = wanted(folder, &new)?;
    // What notes the files comes before them, so that one that is cut off leaves none that nobody noted.
    wanted.sort_by_key(|(path, _)| *path != Path::new(MARK));
    for (path, text) in &wanted {
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent)
            .and_then(|()| whole::write(&path, text.as_bytes()))
            .map_err(|error| failed("write", &path, &error))?;
    }
    Ok(Written {
        changed: removed.len() + wanted.len(),
        left: left.into_iter().cloned().collect(),
    })
}

/// Returns the files that are not as they have to be.
fn wanted<'n>(root: &Path, new: &'n BTreeMap<PathBuf, String>) -> Result<Vec<(&'n PathBuf, &'n String)>> {
    let mut wanted = Vec::new();
    for (path, text) in new {
        if !is_as(root, path, text)? {
            wanted.push((path, text));
        }
    }
    Ok(wanted)
}

/// Returns `true` if a file is as it has to be.
///
/// What is no file cannot become one.
fn is_as(root: &Path, path: &Path, text: &str) -> Result<bool> {
    let fault = |error: io::Error| {
        failed("write", &root.join(path), &error)
            .hint("nothing was changed; remove it, or name another folder by `-o`")
    };
    let place = below(root, path).map_err(fault)?;
    match fs::symlink_metadata(&place) {
        Ok(found) => {
            input::regular(&found).map_err(fault)?;
            Ok(found.len() == text.len() as u64
                && input::file(&place, found.len()).is_ok_and(|found| found == text.as_bytes()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(fault(error)),
    }
}

fn failed(verb: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("cannot {verb} {}: {error}", path.display()))
}

/// Returns how a file is noted.
fn noted(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Returns the text of every file.
fn contents(tree: &Tree, earlier: &Earlier) -> serde_json::Result<BTreeMap<PathBuf, String>> {
    let mut files = BTreeMap::new();
    for kind in KINDS {
        assets(kind, tree.assets(kind), earlier, &mut files)?;
    }
    services(&tree.services, earlier, &mut files)?;
    let mark = Mark {
        format: FORMAT,
        files: files.keys().map(|path| noted(path)).collect(),
    };
    files.insert(PathBuf::from(MARK), text(&mark)?);
    Ok(files)
}

fn assets(
    kind: AssetKind,
    assets: &[Asset],
    earlier: &Earlier,
    files: &mut BTreeMap<PathBuf, String>,
) -> serde_json::Result<()> {
    let (folder, file) = places(kind);
    let mut folders = earlier.folders(folder, file);
    for asset in assets {
        let folder = Path::new(folder).join(folders.of(&asset.name));
        let name = asset.name.clone();
        files.insert(folder.join(file), text(&AssetFile { name })?);
        for (version, document) in &asset.versions {
            files.insert(folder.join(format!("v{version}.json")), text(document)?);
        }
    }
    Ok(())
}

fn services(
    services: &[Service],
    earlier: &Earlier,
    files: &mut BTreeMap<PathBuf, String>,
) -> serde_json::Result<()> {
    let mut folders = earlier.folders(SERVICES, SERVICE);
    for service in services {
        let folder = Path::new(SERVICES).join(folders.of(&service.fields.name));
        files.insert(folder.join(SERVICE), text(&service.fields)?);
        let mut stems = BTreeSet::new();
        for (name, pins) in &service.version_sets {
            let stem = set_stem(name, &mut stems);
            // Where capitals do not count, of two that differ only in them neither name of a file tells which set it is.
            let has_double = service
                .version_sets
                .keys()
                .any(|other| other != name && other.as_str().eq_ignore_ascii_case(name.as_str()));
            let file = SetFile {
                name: (has_double || stem != name.as_str()).then_some(name),
                pins,
            };
            files.insert(folder.join(SETS).join(format!("{stem}.json")), text(&file)?);
        }
    }
    Ok(())
}

/// A file of a set.
///
/// It names the set where its own name cannot.
#[derive(Serialize)]
struct SetFile<'s> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'s SetName>,
    #[serde(flatten)]
    pins: &'s Pins,
}

/// Returns the text of a file.
///
/// Whoever reviews it sees everything that is there.
fn text(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(escaped_json(&serde_json::to_string_pretty(value)?) + "\n")
}
