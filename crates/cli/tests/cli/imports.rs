//! Which crate may use which: imports point one way.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// What each crate may use of the others, beside tests.
const ALLOWED: &[(&str, &[&str])] = &[
    ("forge-domain", &[]),
    ("forge-store", &["forge-domain"]),
    ("forge-wire", &["forge-domain"]),
    ("forge-app", &["forge-domain", "forge-store"]),
    ("forge-api", &["forge-app", "forge-domain", "forge-wire"]),
    ("forge-client", &["forge-domain", "forge-wire"]),
    (
        "forge-cli",
        &[
            "forge-api",
            "forge-app",
            "forge-client",
            "forge-domain",
            "forge-wire",
        ],
    ),
    (
        "forge-testkit",
        &[
            "forge-api",
            "forge-app",
            "forge-domain",
            "forge-store",
            "forge-wire",
        ],
    ),
];

/// Crates that belong into one room only, tests and the testkit aside.
const CONFINED: &[(&str, &str)] = &[
    ("sqlx", "forge-store"),
    ("axum", "forge-api"),
    ("clap", "forge-cli"),
    ("reqwest", "forge-client"),
];

/// The domain is pure: it may use nothing that does I/O.
const DOMAIN: &[&str] = &[
    "indexmap",
    "jsonschema",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
];

/// Returns the normal dependencies of each crate of the workspace.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let normal = package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|dep| dep["kind"].is_null());
            (name(package), normal.map(name).collect())
        })
        .collect()
}

#[test]
fn imports_point_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    let found = dependencies();
    assert_eq!(
        found.keys().map(String::as_str).collect::<Vec<_>>(),
        allowed.keys().copied().collect::<Vec<_>>()
    );
    for (package, dependencies) in &found {
        for dependency in dependencies.iter().filter(|name| name.starts_with("forge-")) {
            assert!(
                allowed[package.as_str()].contains(&dependency.as_str()),
                "{package} must not use {dependency}"
            );
        }
    }
}

#[test]
fn each_library_stays_in_its_room() {
    let found = dependencies();
    for (library, room) in CONFINED {
        for (package, dependencies) in &found {
            let may = package == room || package == "forge-testkit";
            assert!(
                may || !dependencies.contains(*library),
                "{package} must not use {library}"
            );
        }
    }
    assert_eq!(
        found["forge-domain"]
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>(),
        DOMAIN
    );
}
