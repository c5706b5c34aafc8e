//! Writing files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use forge_client::answers::Pins;
use forge_domain::SetName;
use forge_domain::refusal::AssetKind;
use serde::Serialize;

use super::slug::{set_stem, slug};
use super::{AssetFile, FORMAT, KINDS, MARK, Mark, SERVICE, SERVICES, SETS, places};
use crate::commands::gitops::tree::{Asset, Service, Tree};
use crate::error::{Failure, Result};
use crate::ui::escaped_json;

/// Writes everything, and removes what an earlier export wrote that is not there any more. Returns how many files were
/// written or removed: none if all of them are as they have to be.
pub(in crate::commands::gitops) fn write(folder: &Path, tree: &Tree) -> Result<usize> {
    let old = ours(folder)?;
    let new = contents(tree).map_err(|error| Failure::failed(error.to_string()))?;
    let mut changed = 0;
    // First, as where capitals do not count, what is removed may be what is to be written under another name.
    for path in old.iter().filter(|path| !new.contains_key(*path)) {
        changed += 1;
        let path = folder.join(path);
        fs::remove_file(&path).map_err(|error| failed("remove", &path, &error))?;
        // What is empty now goes, too; what is not, stays.
        for parent in path.ancestors().skip(1).take_while(|parent| *parent != folder) {
            if fs::remove_dir(parent).is_err() {
                break;
            }
        }
    }
    for (path, text) in &new {
        let path = folder.join(path);
        if fs::read_to_string(&path).is_ok_and(|found| found == *text) {
            continue;
        }
        changed += 1;
        let written =
            fs::create_dir_all(path.parent().unwrap_or(folder)).and_then(|()| fs::write(&path, text));
        written.map_err(|error| failed("write", &path, &error))?;
    }
    Ok(changed)
}

fn failed(verb: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("cannot {verb} {}: {error}", path.display()))
}

/// Returns the text of every file.
fn contents(tree: &Tree) -> serde_json::Result<BTreeMap<PathBuf, String>> {
    let mut files = BTreeMap::new();
    files.insert(PathBuf::from(MARK), text(&Mark { format: FORMAT })?);
    for kind in KINDS {
        assets(kind, tree.assets(kind), &mut files)?;
    }
    services(&tree.services, &mut files)?;
    Ok(files)
}

fn assets(
    kind: AssetKind,
    assets: &[Asset],
    files: &mut BTreeMap<PathBuf, String>,
) -> serde_json::Result<()> {
    let (folder, file) = places(kind);
    let mut taken = BTreeSet::new();
    for asset in assets {
        let folder = Path::new(folder).join(slug(&asset.name, &mut taken));
        let name = asset.name.clone();
        files.insert(folder.join(file), text(&AssetFile { name })?);
        for (version, document) in &asset.versions {
            files.insert(folder.join(format!("v{version}.json")), text(document)?);
        }
    }
    Ok(())
}

fn services(services: &[Service], files: &mut BTreeMap<PathBuf, String>) -> serde_json::Result<()> {
    let mut taken = BTreeSet::new();
    for service in services {
        let folder = Path::new(SERVICES).join(slug(&service.fields.name, &mut taken));
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

/// A file of a set. It names the set where its own name cannot.
#[derive(Serialize)]
struct SetFile<'s> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'s SetName>,
    #[serde(flatten)]
    pins: &'s Pins,
}

/// Returns the text of a file. Whoever reviews it sees everything that is there.
fn text(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(escaped_json(&serde_json::to_string_pretty(value)?) + "\n")
}

/// Returns the files of an earlier export: every `.json` in the folders that it writes.
fn ours(folder: &Path) -> Result<Vec<PathBuf>> {
    let [agents, graphs] = KINDS.map(|kind| places(kind).0);
    let folders = [agents, graphs, SERVICES];
    if !folder.join(MARK).exists() {
        let taken = folders.iter().find(|name| folder.join(name).exists());
        return match taken {
            None => Ok(Vec::new()),
            Some(taken) => Err(Failure::failed(format!(
                "{} has a folder `{taken}` and no `{MARK}`: it is no export, and is left as it is",
                folder.display()
            ))
            .hint("name another folder by `-o`")),
        };
    }
    let mut found = Vec::new();
    for name in folders {
        collect(folder, Path::new(name), &mut found)
            .map_err(|error| failed("read", &folder.join(name), &error))?;
    }
    Ok(found)
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let entries = match fs::read_dir(root.join(folder)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        // Links are not followed: what they lead to is not ours.
        if entry.file_type()?.is_dir() {
            collect(root, &path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    Ok(())
}
