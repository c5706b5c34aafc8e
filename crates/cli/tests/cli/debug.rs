//! Types with a secret in them must not derive `Debug`: sooner or later, somebody prints one.

use std::path::{Path, PathBuf};

/// What fields with secrets are called.
const SECRETS: &[&str] = &[
    "api_key",
    "database_url",
    "id_token",
    "master_key",
    "password",
    "private_key",
    "secret",
    "sensitive_user_variables",
    "sensitive_variables",
    "token",
    "x_api_key",
];

/// Returns the sources of all crates but those of tests.
fn sources() -> Vec<PathBuf> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut folders: Vec<PathBuf> = std::fs::read_dir(crates)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("src"))
        .filter(|folder| folder.is_dir())
        .collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}

/// Returns the fields with secrets of types that derive `Debug`.
///
/// A text, or a list or map of texts, counts; a number, a flag, or a type that takes care of itself does not.
fn printed(source: &str) -> Vec<String> {
    let (mut found, mut is_printed, mut is_inside) = (Vec::new(), false, false);
    for line in source.lines() {
        let text = line.trim();
        if text.starts_with("#[derive(") {
            is_printed = text.contains("Debug");
        } else if text.contains("struct ") || text.contains("enum ") {
            is_inside = is_printed && text.ends_with('{');
            is_printed = false;
        } else if line.starts_with('}') {
            is_inside = false;
        }
        let field = text
            .trim_start_matches("pub(crate) ")
            .trim_start_matches("pub(super) ");
        let Some((name, kind)) = field.trim_start_matches("pub ").split_once(": ") else {
            continue;
        };
        let is_text = ["String", "str", "Vec<u8>", "Variables"]
            .iter()
            .any(|part| kind.contains(part));
        // Of the variables that an answer tells, these are the names.
        let is_names = text == "pub sensitive_variables: Vec<String>,";
        if is_inside && is_text && !is_names && SECRETS.contains(&name) {
            found.push(text.to_owned());
        }
    }
    found
}

#[test]
fn no_type_with_a_secret_derives_debug() {
    let mut found = Vec::new();
    let sources = sources();
    assert!(sources.len() > 100);
    for path in sources {
        let source = std::fs::read_to_string(&path).unwrap();
        found.extend(
            printed(&source)
                .into_iter()
                .map(|field| format!("{}: {field}", path.display())),
        );
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_derived_debug_beside_a_secret_is_noticed() {
    let bad = "#[derive(Debug, Clone)]\npub struct Login<'a> {\n    pub user: String,\n    pub token: &'a str,\n}\n";
    assert_eq!(printed(bad), ["pub token: &'a str,"]);
    assert_eq!(printed(&bad.replace("Debug, ", "")), [""; 0]);
    assert_eq!(printed(&bad.replace("&'a str", "i64")), [""; 0]);
    let attributes = bad.replace("pub struct", "#[serde(default)]\npub struct");
    assert_eq!(printed(&attributes).len(), 1);
}
