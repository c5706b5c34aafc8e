//! `forge quickstart`

use crate::process::forge;

#[test]
fn everything_is_shown_once_and_nothing_is_left_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let output = forge()
        .args(["quickstart", "--no-wait"])
        .env("TMPDIR", temporary.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for part in [
        "1. A server at http://127.0.0.1:",
        "2. An agent",
        "3. A service",
        "4. `preview`",
        "5. What promoting",
        "6. Exactly that plan",
        "7. One call takes it back",
        "8. What a runtime gets",
    ] {
        assert!(text.contains(part), "`{part}` is missing from:\n{text}");
    }
    let promoted = text.split("6. Exactly").nth(1).unwrap();
    let release = promoted.lines().find(|line| line.contains(" release ")).unwrap();
    let cells: Vec<&str> = release.trim_matches(['│', ' ']).split_whitespace().collect();
    assert_eq!(cells, ["release", "2", "2", "2", "1", "/", "1"]);
    let rolled_back = text.split("8. What").nth(1).unwrap();
    let release = rolled_back
        .lines()
        .find(|line| line.contains(" release "))
        .unwrap();
    assert!(
        release.contains("version 1") && release.contains(" 3 "),
        "{release}"
    );
    // Of a server that is gone, neither address nor key is of use.
    assert!(!text.contains("export "), "{text}");
    let end = String::from_utf8(output.stderr).unwrap();
    assert!(end.contains("The server has stopped"), "{end}");
    assert_eq!(
        std::fs::read_dir(temporary.path()).unwrap().count(),
        0,
        "the temporary folder is removed"
    );
}

#[test]
fn a_folder_that_holds_something_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine"), "").unwrap();
    let path = folder.path().display().to_string();
    let output = forge()
        .args(["quickstart", "--no-wait", "--data-dir", &path])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("is not empty"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
