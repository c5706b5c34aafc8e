//! Reading files.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use forge_client::answers::Pins;
use forge_domain::SetName;
use forge_domain::asset::AssetKind;
use forge_domain::name::is_same;
use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{AssetFile, MARK, Mark, SERVICE, SERVICES, SETS, place, places};
use crate::assets::without_list_fields;
use crate::commands::gitops::tree::{Asset, Document, Service, Tree, kind_name};
use crate::error::{Failure, Result};
use crate::input;
use crate::preference::{WrittenPreference, preferences};

/// What a file of a set says.
///
/// Nothing may be forgotten or misspelt.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetFile {
    /// The set, where the file cannot be called like it.
    name: Option<SetName>,
    #[serde(deserialize_with = "Option::deserialize")]
    agent_version_number: Option<i64>,
    #[serde(deserialize_with = "Option::deserialize")]
    service_hierarchical_state_machine_version_number: Option<i64>,
    llm_model_preferences: IndexMap<String, WrittenPreference>,
}

/// Reads all files, and tells every fault of them.
pub(in crate::commands::gitops) fn read(root: &Path) -> Result<Tree> {
    let mut reader = Reader {
        root,
        faults: Vec::new(),
    };
    if root.join(MARK).symlink_metadata().is_err() {
        let text = format!("{} has no `{MARK}`: it is no export", root.display());
        return Err(Failure::failed(text).hint("`forge export -o DIR` writes one"));
    }
    let mark = reader.json::<Mark>(Path::new(MARK));
    if let Some(fault) = mark.and_then(|mark| mark.fault()) {
        reader.fault(Path::new(MARK), fault);
    }
    let tree = Tree {
        agents: reader.assets(AssetKind::Agent),
        context_graphs: reader.assets(AssetKind::ContextGraph),
        services: reader.services(),
    };
    if reader.faults.is_empty() {
        return Ok(tree);
    }
    let mut failure = Failure::failed(format!("the files in {} cannot be applied", root.display()));
    failure.details = reader.faults;
    Err(failure.hint("nothing was changed; `docs/gitops.md` tells the format"))
}

struct Reader<'r> {
    root: &'r Path,
    faults: Vec<String>,
}

impl Reader<'_> {
    fn fault(&mut self, path: &Path, text: impl std::fmt::Display) {
        self.faults.push(format!("{}: {text}", path.display()));
    }

    fn json<T: DeserializeOwned>(&mut self, path: &Path) -> Option<T> {
        let read = place::read(self.root, path).map_err(|error| error.to_string());
        read.and_then(input::document)
            .map_err(|error| self.fault(path, error))
            .ok()
    }

    /// Returns what is in a folder, in order of names, or an empty list if there is no such folder.
    fn list(&mut self, folder: &Path, is_wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
        let entries = match place::below(self.root, folder).and_then(fs::read_dir) {
            Ok(entries) => entries.collect::<io::Result<Vec<_>>>(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => {
                self.fault(folder, error);
                return Vec::new();
            }
        };
        let mut paths: Vec<PathBuf> = entries
            .iter()
            .map(|entry| folder.join(entry.file_name()))
            .collect();
        paths.sort();
        let mut wanted = Vec::new();
        for path in paths {
            match place::below(self.root, &path) {
                Ok(place) if is_wanted(&place) => wanted.push(path),
                Ok(_) => {}
                Err(error) => self.fault(&path, error),
            }
        }
        wanted
    }

    fn assets(&mut self, kind: AssetKind) -> Vec<Asset> {
        let (folder, file) = places(kind);
        let mut assets: Vec<Asset> = Vec::new();
        for place in self.list(Path::new(folder), Path::is_dir) {
            let Some(AssetFile { name }) = self.json(&place.join(file)) else {
                continue;
            };
            if let Some(other) = assets.iter().find(|other| is_same(&other.name, &name)) {
                let text = format!("the {} `{name}` is in {} already", kind_name(kind), other.place);
                self.fault(&place, text);
            }
            let versions = self.versions(&place, file);
            let place = place.display().to_string();
            assets.push(Asset {
                name,
                place,
                versions,
            });
        }
        assets
    }

    fn versions(&mut self, place: &Path, named: &str) -> BTreeMap<i64, Document> {
        let mut versions = BTreeMap::new();
        for path in self.list(place, is_json) {
            let stem = stem(&path);
            if path.ends_with(named) {
                continue;
            }
            let number = stem
                .strip_prefix('v')
                .and_then(|number| number.parse::<i64>().ok());
            match number.filter(|number| *number > 0 && stem == format!("v{number}")) {
                Some(number) => {
                    if let Some(mut document) = self.json(&path) {
                        // Copied from a list, it has what stands beside it there.
                        without_list_fields(&mut document);
                        versions.insert(number, document);
                    }
                }
                None => self.fault(&path, "a version is a file such as `v3.json`"),
            }
        }
        versions
    }

    fn services(&mut self) -> Vec<Service> {
        let mut services: Vec<Service> = Vec::new();
        for place in self.list(Path::new(SERVICES), Path::is_dir) {
            let fields = self.json(&place.join(SERVICE));
            let version_sets = self.sets(&place.join(SETS));
            let Some(fields) = fields else { continue };
            let service = Service {
                place: place.display().to_string(),
                fields,
                version_sets,
            };
            let name = &service.fields.name;
            if let Some(other) = services.iter().find(|other| is_same(&other.fields.name, name)) {
                let text = format!("the service `{name}` is in {} already", other.place);
                self.fault(&place, text);
            }
            services.push(service);
        }
        services
    }

    fn sets(&mut self, folder: &Path) -> BTreeMap<SetName, Pins> {
        let mut sets = BTreeMap::new();
        for path in self.list(folder, is_json) {
            let called = stem(&path).parse::<SetName>();
            if called == Ok(SetName::edge()) {
                self.fault(&path, "`edge` is the same everywhere and has no file");
                continue;
            }
            let Some(set) = self.json::<SetFile>(&path) else {
                continue;
            };
            let name = match set.name.map_or(called, Ok) {
                Ok(name) => name,
                Err(error) => {
                    self.fault(&path, error);
                    continue;
                }
            };
            let pins = Pins {
                agent_version_number: set.agent_version_number,
                context_graph_version_number: set.service_hierarchical_state_machine_version_number,
                llm_model_preferences: preferences(set.llm_model_preferences),
            };
            if name == SetName::edge() {
                self.fault(&path, "`edge` is the same everywhere and has no file");
            } else if sets.insert(name.clone(), pins).is_some() {
                self.fault(&path, format_args!("the set `{name}` is in another file already"));
            }
        }
        sets
    }
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
