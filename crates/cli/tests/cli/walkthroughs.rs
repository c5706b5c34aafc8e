//! The stops of the walkthroughs are functions in the files that they name.

use std::path::Path;

/// Returns the files and functions in the rows of the table of a section.
fn stops<'t>(text: &'t str, heading: &str) -> Vec<(&'t str, Vec<&'t str>)> {
    let heading = format!("\n## {heading}\n");
    let section = text.split(heading.as_str()).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| {
        let mut cells = row.split('|').skip(1);
        let names = |cell: &'t str| cell.split('`').skip(1).step_by(2);
        let mut files = names(cells.next().unwrap());
        (files.next().unwrap(), names(cells.next().unwrap()).collect())
    })
    .collect()
}

/// Returns `true` if a source text defines a function of this name.
fn defines(source: &str, function: &str) -> bool {
    let definition = format!("fn {function}");
    let definitions = source.split(definition.as_str()).skip(1);
    definitions
        .filter_map(|rest| rest.chars().next())
        .any(|next| ['(', '<'].contains(&next))
}

#[test]
fn every_stop_of_the_walkthroughs_is_a_function_in_its_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    for (heading, least) in [
        ("A promotion, stop by stop", 20),
        ("A resolution, stop by stop", 10),
    ] {
        let stops = stops(&text, heading);
        assert!(stops.len() >= least, "{heading}: only {} stops", stops.len());
        for (file, functions) in stops {
            let source = std::fs::read_to_string(root.join(file))
                .unwrap_or_else(|error| panic!("{heading}: {file}: {error}"));
            assert!(!functions.is_empty(), "{heading}: no function of {file}");
            for function in functions {
                assert!(
                    defines(&source, function),
                    "{heading}: {file} has no `{function}`"
                );
            }
        }
    }
}

#[test]
fn a_function_is_known_by_its_whole_name() {
    let source =
        "async fn plan_all(\n) {}\nfn answer<E>(e: E) {}\n// about plan(\nfn load_all() { load(tx) }";
    for name in ["plan_all", "answer", "load_all"] {
        assert!(defines(source, name), "{name}");
    }
    for name in ["plan", "load", "all", "missing"] {
        assert!(!defines(source, name), "{name}");
    }
}
