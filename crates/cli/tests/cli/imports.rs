//! Which crate may use which: imports point one way.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::sources::sources;

/// What each crate may use of the others, beside tests.
const ALLOWED: &[(&str, &[&str])] = &[
    ("forge-types", &[]),
    ("forge-domain", &["forge-types"]),
    ("forge-store", &["forge-domain"]),
    ("forge-wire", &["forge-domain"]),
    ("forge-contract", &["forge-domain", "forge-wire"]),
    ("forge-runtime", &["forge-domain"]),
    (
        "forge-app",
        &["forge-domain", "forge-runtime", "forge-store", "forge-types"],
    ),
    (
        "forge-api",
        &["forge-app", "forge-contract", "forge-domain", "forge-wire"],
    ),
    ("forge-client", &["forge-types"]),
    (
        "forge-cli",
        &[
            "forge-api",
            "forge-app",
            "forge-client",
            "forge-contract",
            "forge-domain",
            "forge-runtime",
            "forge-wire",
        ],
    ),
    (
        "forge-testkit",
        &[
            "forge-api",
            "forge-app",
            "forge-contract",
            "forge-domain",
            "forge-runtime",
            "forge-testkit-macros",
        ],
    ),
    ("forge-testkit-macros", &[]),
];

/// Crates that belong into their rooms only, tests and the testkit aside.
const CONFINED: &[(&str, &[&str])] = &[
    ("sqlx", &["forge-store"]),
    ("axum", &["forge-api"]),
    ("clap", &["forge-cli"]),
    // The runtime talks to models and tools; the client has as little as it needs to talk to servers of Forge.
    ("reqwest", &["forge-runtime"]),
    ("hyper-rustls", &["forge-client"]),
    ("jsonschema", &["forge-contract", "forge-domain", "forge-runtime"]),
];

/// The domain is pure: it may use nothing that does I/O.
const DOMAIN: &[&str] = &[
    "emojis",
    "forge-types",
    "icu_properties",
    "indexmap",
    "jsonschema",
    "serde",
    "serde_json",
    "sha2",
    "similar",
    "thiserror",
    "unicode-normalization",
];

/// How many crates an embedded client has at most, itself and all that it needs.
const CLIENT: usize = 59;

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
    for (library, rooms) in CONFINED {
        for (package, dependencies) in &found {
            let may = rooms.contains(&package.as_str()) || package == "forge-testkit";
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

#[test]
fn an_embedded_client_is_light() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "-p",
            "forge-client",
            "--no-default-features",
            "-e",
            "normal",
        ])
        .args([
            "--prefix",
            "none",
            "--format",
            "{p}",
            "--no-dedupe",
            "--offline",
            "--locked",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let tree = String::from_utf8(output.stdout).unwrap();
    let crates: BTreeSet<&str> = tree.lines().collect();
    assert!(crates.iter().any(|name| name.starts_with("hyper ")), "{crates:?}");
    assert!(crates.len() <= CLIENT, "{} crates: {crates:?}", crates.len());
}

/// Licences that dependencies may have: those of `deny.toml`.
fn admitted_licences() -> BTreeSet<String> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deny.toml")).unwrap();
    let (_, rest) = text.split_once("\nallow = [").unwrap();
    let (list, _) = rest.split_once(']').unwrap();
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Returns `true` if an SPDX expression can be fulfilled: of alternatives one, of conjunctions all.
fn is_admitted(expression: &str, admitted: &BTreeSet<String>) -> bool {
    let expression = expression.trim();
    let mut depth = 0;
    for operator in [" AND ", " OR ", "/"] {
        for (position, character) in expression.char_indices() {
            depth += i32::from(character == '(') - i32::from(character == ')');
            if depth == 0 && expression[position..].starts_with(operator) {
                let (left, right) = (&expression[..position], &expression[position + operator.len()..]);
                let (left, right) = (is_admitted(left, admitted), is_admitted(right, admitted));
                return if operator == " AND " {
                    left && right
                } else {
                    left || right
                };
            }
        }
    }
    match expression
        .strip_prefix('(')
        .and_then(|inner| inner.strip_suffix(')'))
    {
        Some(inner) => is_admitted(inner, admitted),
        None => admitted.contains(expression),
    }
}

#[test]
fn every_dependency_has_an_admitted_licence_and_comes_from_the_public_registry() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    // Packages of other platforms count too; a build does not fetch those.
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "run `cargo fetch` once: {complaint}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let admitted = admitted_licences();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let licence = package["license"]
            .as_str()
            .unwrap_or_else(|| panic!("{name} names no licence"));
        assert!(is_admitted(licence, &admitted), "{name}: {licence}");
        let source = package["source"].as_str().unwrap_or("");
        assert!(
            source.is_empty() || source.starts_with("registry+"),
            "{name}: {source}"
        );
        assert!(
            !["openssl", "openssl-sys", "native-tls"].contains(&name),
            "{name} is banned"
        );
    }
}

/// Files are opened by what bounds them, and written by what follows no links.
#[test]
fn files_are_read_and_written_in_one_place() {
    const CALLS: [&str; 5] = [
        "fs::read(",
        "fs::read_to_string(",
        "fs::write(",
        "File::open(",
        "File::create(",
    ];
    let mut found = BTreeSet::new();
    for (path, text) in sources() {
        // What tests do with files of their own is their business.
        let code = text.split("#[cfg(test)]").next().unwrap();
        if !path.ends_with("tests.rs") && CALLS.iter().any(|call| code.contains(call)) {
            found.insert(path.to_str().unwrap().to_owned());
        }
    }
    // It holds descriptors of `/dev/null` in reserve.
    let allowed = ["admin_socket.rs"].map(str::to_owned);
    assert_eq!(found, BTreeSet::from(allowed));
}
