//! The words of the architecture are names in the code.

use std::path::Path;

use crate::unused::{identifiers, texts_below};

/// Returns the names in code of each word in the table of the section "Words".
fn words(text: &str) -> Vec<(&str, Vec<&str>)> {
    let section = text.split("\n## Words\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| {
        let mut cells = row.split('|').skip(1);
        let (word, names) = (cells.next().unwrap().trim(), cells.next().unwrap());
        (word, names.split('`').skip(1).step_by(2).collect())
    })
    .collect()
}

#[test]
fn every_word_of_the_glossary_is_a_name_in_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let folders = std::fs::read_dir(root.join("crates")).unwrap();
    let source: String = folders
        .map(|folder| texts_below(&folder.unwrap().path().join("src")))
        .collect();
    let known = identifiers(&source);
    let words = words(&text);
    assert!(words.len() >= 20, "only {} words were read", words.len());
    for (word, names) in words {
        assert!(!names.is_empty(), "`{word}` has no name in the code");
        for name in names {
            assert!(known.contains(name), "`{word}`: no source has the name `{name}`");
        }
    }
}
