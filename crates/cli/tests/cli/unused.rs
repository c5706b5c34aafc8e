//! No crate depends on a library that its sources never name.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::sources::sources_below;

/// Returns the texts of all Rust files below a folder; none if there is no such folder.
pub(crate) fn texts_below(folder: &Path) -> String {
    if !folder.is_dir() {
        return String::new();
    }
    let files = sources_below(folder).into_iter();
    files
        .filter(|(path, _)| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|(_, text)| text)
        .collect()
}

/// Returns the identifiers of some source text.
pub(crate) fn identifiers(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').collect()
}

#[test]
fn every_dependency_is_named_by_the_sources() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut used = BTreeSet::new();
    let mut unused = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let folder = Path::new(package["manifest_path"].as_str().unwrap())
            .parent()
            .unwrap();
        let source = texts_below(&folder.join("src"));
        let tests = ["tests", "benches", "examples"].map(|name| texts_below(&folder.join(name)));
        let (source, tests) = (identifiers(&source), tests.concat());
        let tests = identifiers(&tests);
        for dependency in package["dependencies"].as_array().unwrap() {
            let name = dependency["name"].as_str().unwrap();
            used.insert(name.to_owned());
            let identifier = name.replace('-', "_");
            let is_for_tests = !dependency["kind"].is_null();
            let is_named =
                source.contains(identifier.as_str()) || is_for_tests && tests.contains(identifier.as_str());
            if !is_named {
                unused.push(format!("{}: {name}", package["name"].as_str().unwrap()));
            }
        }
    }
    let root = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml")).unwrap();
    let root: toml::Table = root.parse().unwrap();
    for name in root["workspace"]["dependencies"].as_table().unwrap().keys() {
        if !used.contains(name) {
            unused.push(format!("workspace: {name}"));
        }
    }
    assert!(unused.is_empty(), "dependencies that nothing names: {unused:?}");
}
