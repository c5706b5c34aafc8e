//! The README's commands, run as they stand there.
//!
//! The Python block is run by the tests of the Python client, which have an environment for it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Returns the README's tested blocks by name.
fn blocks() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(format!("{ROOT}/README.md")).unwrap();
    let marked = text.split("<!-- test: ").skip(1);
    marked
        .map(|rest| {
            let (name, rest) = rest.split_once(" -->\n```sh\n").unwrap();
            let (block, _) = rest.split_once("```").unwrap();
            (name.to_owned(), block.to_owned())
        })
        .collect()
}

/// Runs a script with the binary under test in the path, and other programs before it.
fn shell(script: &str, programs: &Path) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_forge")).parent().unwrap();
    let path = format!(
        "{}:{}:/usr/local/bin:/usr/bin:/bin",
        programs.display(),
        binary.display()
    );
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(ROOT)
        .env_clear()
        .env("PATH", path)
        .env("TMPDIR", programs)
        .env("HOME", programs)
        .env("FORGE_LISTEN", free.to_string())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

#[test]
fn every_tested_block_is_known_here() {
    let names: Vec<String> = blocks().into_keys().collect();
    assert_eq!(
        names,
        [
            "command-line",
            "curl-walk",
            "init-serve-sqlite",
            "python",
            "quickstart",
            "test-suite"
        ]
    );
}

#[test]
fn the_two_commands_of_the_start_do_what_they_say() {
    let blocks = blocks();
    let folder = tempfile::tempdir().unwrap();
    // Stands in for a build with all optimisations, and does not wait for Ctrl-C.
    let cargo = folder.path().join("cargo");
    let script =
        "#!/bin/sh\ntest \"$1 $2 $3\" = 'run --release --' && shift 3 && exec forge \"$@\" --no-wait\n";
    std::fs::write(&cargo, script).unwrap();
    std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755)).unwrap();
    let shown = shell(&blocks["quickstart"], folder.path());
    assert!(shown.contains("8. What a runtime gets"), "{shown}");
    assert_eq!(blocks["test-suite"], "./scripts/test\n");
    let ci = std::fs::read_to_string(format!("{ROOT}/.ci/run")).unwrap();
    assert!(
        ci.contains("./scripts/test"),
        "what CI runs is what the README says"
    );
}

/// What the tour prints, without ids and addresses: it must not drift from what the README shows.
#[test]
fn the_tour_looks_as_the_readme_shows_it() {
    let readme = std::fs::read_to_string(format!("{ROOT}/README.md")).unwrap();
    let (_, shown) = readme.split_once("```text\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let printed = shell("forge quickstart --no-wait --listen 127.0.0.1:0", folder.path());
    let stable = |text: &str| -> Vec<String> {
        let is_stable = |word: &&str| !word.starts_with("http://") && !word.contains("forge-quickstart-");
        let is_id = |word: &str| word.len() == 24 && word.bytes().all(|b| b.is_ascii_hexdigit());
        let words = |line: &str| {
            line.split_whitespace()
                .filter(is_stable)
                .map(|word| if is_id(word) { "ID" } else { word }.to_owned())
                .collect::<Vec<_>>()
                .join(" ")
        };
        text.trim_end().lines().map(words).collect()
    };
    assert_eq!(stable(&printed), stable(shown));
}

/// Nothing waits for a server that could not start, or goes on with another one that has its port.
#[test]
fn a_port_that_is_taken_is_told() {
    let block = &blocks()["init-serve-sqlite"];
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let script = format!("export FORGE_LISTEN={address}\n{block}\necho \"address: '$FORGE_BASE_URL'\"");
    let told = shell(&script, folder.path());
    assert!(told.contains(&format!("cannot listen on {address}")), "{told}");
    assert!(told.contains("address: ''"), "{told}");
}

#[test]
fn an_installation_is_set_up_and_walked_through_with_curl_and_with_commands() {
    let blocks = blocks();
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "{}\n{}\n{}\nkill %1\nwait",
        blocks["init-serve-sqlite"], blocks["curl-walk"], blocks["command-line"]
    );
    let answers = shell(&script, folder.path());
    let last = answers
        .lines()
        .rfind(|line| line.contains("agent_version_info"))
        .unwrap();
    for part in [r#""name":"release""#, r#""is_floating":false"#, r#""revision":4"#] {
        assert!(last.contains(part), "{part} is not in {last}");
    }
    assert!(answers.contains("held: it was rolled back"));
    assert!(answers.contains(r#""applied":true"#) && answers.contains(r#""action":"rollback""#));
}
