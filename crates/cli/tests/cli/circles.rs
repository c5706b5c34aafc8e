//! No two files of a crate import each other in a loop.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::sources::sources_below;

/// A module by its path below the crate; the crate itself is empty.
type Module = Vec<String>;

/// What each module imports of the others of its crate.
type Imports = BTreeMap<Module, BTreeSet<Module>>;

/// Returns the module that a file is, by its path below `src`.
fn module(path: &Path) -> Module {
    let mut names: Module = path
        .with_extension("")
        .iter()
        .map(|name| name.to_str().unwrap().to_owned())
        .collect();
    names.pop_if(|last| ["mod", "lib", "main"].contains(&last.as_str()));
    names
}

/// Returns the code without comments and without the tests at its end.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns what private `use` items name, before their braces are expanded.
fn private_uses(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = Some(code);
    while let Some(text) = rest {
        if let Some(item) = text.trim_start_matches([' ', '\t']).strip_prefix("use ")
            && let Some((item, _)) = item.split_once(';')
        {
            found.push(item.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        rest = text.split_once('\n').map(|(_, next)| next);
    }
    found
}

/// Expands `a::{b, c::{d}}` to `a::b` and `a::c::d`.
fn expand(item: &str) -> Vec<String> {
    let Some((head, inner)) = item.trim().split_once('{') else {
        return vec![item.split(" as ").next().unwrap().trim().to_owned()];
    };
    let inner = inner.rsplit_once('}').map_or(inner, |(inner, _)| inner);
    let mut depth = 0;
    let parts = inner.split(|character| {
        depth += i32::from(character == '{') - i32::from(character == '}');
        depth == 0 && character == ','
    });
    let leaves = parts.filter(|part| !part.trim().is_empty()).flat_map(expand);
    leaves.map(|leaf| format!("{head}{leaf}")).collect()
}

/// Returns the names of a path of this crate, from the crate on; `None` for another crate's.
fn absolute(path: &str, from: &Module) -> Option<Module> {
    let mut names = path.split("::").map(|name| name.trim().to_owned()).peekable();
    let mut absolute = match names.next()?.as_str() {
        "crate" => Vec::new(),
        "super" => from.split_last()?.1.to_vec(),
        _ => return None,
    };
    while names.next_if_eq("super").is_some() {
        absolute.pop();
    }
    absolute.extend(names);
    Some(absolute)
}

/// Returns what the files of a crate import of each other. What a module takes from the one that it is in is left out.
fn imports(files: &[(impl AsRef<Path>, String)]) -> Imports {
    let modules: BTreeSet<Module> = files.iter().map(|(path, _)| module(path.as_ref())).collect();
    let mut imports = Imports::new();
    for (path, text) in files {
        let from = module(path.as_ref());
        let targets = imports.entry(from.clone()).or_default();
        for path in private_uses(&code(text)).iter().flat_map(|item| expand(item)) {
            let Some(mut to) = absolute(&path, &from) else {
                continue;
            };
            while !modules.contains(&to) && to.pop().is_some() {}
            if !from.starts_with(&to) {
                targets.insert(to);
            }
        }
    }
    imports
}

/// Returns every module that is reached from one, by any number of imports.
fn reached(imports: &Imports, from: &Module) -> BTreeSet<Module> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from.clone()];
    while let Some(module) = open.pop() {
        for to in imports.get(&module).into_iter().flatten() {
            if reached.insert(to.clone()) {
                open.push(to.clone());
            }
        }
    }
    reached
}

/// Returns the circles: each as the modules in it.
fn circles(imports: &Imports) -> BTreeSet<BTreeSet<Module>> {
    let reached: BTreeMap<&Module, BTreeSet<Module>> = imports
        .keys()
        .map(|module| (module, reached(imports, module)))
        .collect();
    let in_circle = reached.iter().filter(|(module, to)| to.contains(**module));
    in_circle
        .map(|(module, to)| {
            let both_ways = to.iter().filter(|other| reached[other].contains(*module));
            both_ways.cloned().collect()
        })
        .collect()
}

/// Returns the imports that make up a circle, one per line.
fn edges(imports: &Imports, circle: &BTreeSet<Module>) -> String {
    let lines = circle.iter().flat_map(|from| {
        let within = imports[from].intersection(circle);
        within.map(|to| format!("  {} uses {}\n", from.join("::"), to.join("::")))
    });
    lines.collect()
}

#[test]
fn no_files_of_a_crate_import_each_other_in_a_circle() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    let mut read = 0;
    for entry in std::fs::read_dir(crates).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap();
        let files = sources_below(&folder.join("src"));
        read += files.len();
        let imports = imports(&files);
        for circle in circles(&imports) {
            found.push(format!("a circle in {name}:\n{}", edges(&imports, &circle)));
        }
    }
    assert!(read > 300, "only {read} files were read");
    assert!(found.is_empty(), "{}", found.concat());
}

/// Returns the circles of invented files, as text.
fn told(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<_> = files
        .iter()
        .map(|(path, text)| (*path, (*text).to_owned()))
        .collect();
    let imports = imports(&files);
    circles(&imports)
        .iter()
        .map(|circle| edges(&imports, circle))
        .collect()
}

#[test]
fn circles_are_found_through_braces_parents_and_other_files() {
    let found = told(&[
        ("lib.rs", "mod a;\nmod b;\nmod c;\n"),
        ("a.rs", "use std::fmt;\n\nuse crate::{b::{self, Thing}, c};\n"),
        ("b/mod.rs", "mod inner;\n"),
        ("b/inner.rs", "use super::super::c::Other as Renamed;\n"),
        ("c.rs", "use crate::b::inner::{\n    Far,\n    Near,\n};\n"),
    ]);
    assert_eq!(found, ["  b::inner uses c\n  c uses b::inner\n"]);
    let three = told(&[
        ("a.rs", "use crate::b::B;\n"),
        ("b.rs", "fn f() {\n    use super::c::C;\n}\n"),
        ("c.rs", "use crate::a::A;\n"),
    ]);
    assert_eq!(three, ["  a uses b\n  b uses c\n  c uses a\n"]);
}

#[test]
fn parents_comments_reexports_and_tests_make_no_circle() {
    let found = told(&[
        ("lib.rs", "use crate::a::A;\n"),
        ("a/mod.rs", "use self::one::One;\nuse crate::a::one::Two;\n"),
        ("a/one.rs", "use super::A;\nuse crate::a::B;\n"),
        ("b.rs", "// use crate::c::C;\npub(crate) use crate::c::C;\n"),
        (
            "c.rs",
            "use crate::b::B;\n\n#[cfg(test)]\nmod tests {\n    use crate::b::C;\n}\n",
        ),
        ("d.rs", "\n#[cfg(test)]\nmod tests {\n    use crate::c::C;\n}\n"),
    ]);
    assert_eq!(found, Vec::<String>::new());
}
