//! `forge init`

use std::process::Command;

use forge_testkit::{Engine, TestDatabase, both_engines};

use crate::process::{forge, init, location, one_line_error, run};

#[both_engines]
async fn an_organization_is_created_once(database: TestDatabase) {
    let location = location(&database);
    let created = init("acme", &location);
    for field in ["organization_id", "user_id", "api_key_id", "api_key"] {
        assert!(
            created[field].as_str().is_some_and(|text| !text.is_empty()),
            "{created}"
        );
    }
    assert_eq!(created.as_object().unwrap().len(), 4);
    let again = run(&["init", "--organization", "acme"], &location);
    assert_eq!(
        one_line_error(&again),
        "error: organization `acme` exists already"
    );
    let other = init("other", &location);
    assert_ne!(created["api_key"], other["api_key"]);
}

#[both_engines]
async fn the_values_are_printed_as_shell_exports(database: TestDatabase) {
    let location = location(&database);
    let output = run(&["init", "--organization", "acme"], &location);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let script = format!("{text}\nenv | grep ^FORGE_ | cut -d= -f1 | sort");
    let shell = Command::new("sh")
        .args(["-c", &script])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    let names = String::from_utf8(shell.stdout).unwrap();
    assert_eq!(
        names.lines().collect::<Vec<_>>(),
        [
            "FORGE_API_KEY",
            "FORGE_API_KEY_ID",
            "FORGE_ORGANIZATION_ID",
            "FORGE_USER_ID"
        ]
    );
    assert!(!text.contains('\''), "{text}");
}

#[both_engines]
async fn a_key_that_could_not_be_printed_is_replaced_as_the_error_says(database: TestDatabase) {
    let location = location(&database);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = forge()
        .args(["init", "--organization", "acme"])
        .args(&location)
        .stdout(full)
        .output()
        .unwrap();
    let error = one_line_error(&output);
    assert!(
        error.contains("could not be printed (No space left on device"),
        "{error}"
    );
    let users = run(&["admin", "user", "list", "--organization", "acme"], &location);
    let users = String::from_utf8(users.stdout).unwrap();
    let (user, role) = users.trim_end().split_once('\t').unwrap();
    assert_eq!(role, "DefaultSuperAdministratorRole");
    let command = format!("forge admin key create --organization acme --user {user}");
    assert!(error.contains(&format!("`{command}`")), "{error}");
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    let made = run(&words, &location);
    assert!(made.status.success() && String::from_utf8(made.stdout).unwrap().contains("FORGE_API_KEY="));
    let unknown = run(
        &[
            "admin",
            "key",
            "create",
            "--organization",
            "acme",
            "--user",
            "nobody",
        ],
        &location,
    );
    assert!(one_line_error(&unknown).contains("`forge admin user list --organization acme`"));
    let unknown = run(&["admin", "user", "list", "--organization", "nobody"], &location);
    assert!(one_line_error(&unknown).contains("there is no organization `nobody`"));
}

#[both_engines]
async fn another_master_key_is_refused(database: TestDatabase) {
    init("acme", &location(&database));
    let missing = database.folder.path().join("elsewhere.key");
    let mut options = database.flags.to_vec();
    options.extend(["--master-key-file".to_owned(), missing.display().to_string()]);
    let error = one_line_error(&run(&["init", "--organization", "other"], &options));
    assert!(error.contains("there is no master key in"), "{error}");
    assert!(
        !missing.exists(),
        "a key for a store that has one already is never made"
    );
    std::fs::write(&missing, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n").unwrap();
    let error = one_line_error(&run(&["init", "--organization", "other"], &options));
    assert!(error.contains("is not the one that"), "{error}");
}

#[test]
fn what_is_wrong_on_the_command_line_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let usage = forge()
        .args(["init", "--organization", "Not An Id", "--data-dir", &data])
        .output()
        .unwrap();
    assert_eq!(usage.status.code(), Some(2));
    assert!(
        String::from_utf8(usage.stderr)
            .unwrap()
            .contains("lower-case letter")
    );
    let scheme = run(
        &[
            "init",
            "--organization",
            "a",
            "--database-url",
            "mysql://localhost/x",
        ],
        &[],
    );
    assert!(one_line_error(&scheme).contains("must begin with `postgres://` or `sqlite://`, not `mysql`"));
    assert!(!folder.path().join("data").exists(), "nothing was made");
}

#[tokio::test]
async fn a_url_of_the_embedded_database_means_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let url = [
        "--database-url".to_owned(),
        format!("sqlite://{}", data.display()),
    ];
    init("acme", &url);
    assert!(data.join("forge.db").exists() && data.join("master.key").exists());
    let other = folder.path().join("other").display().to_string();
    let both = forge()
        .args(["init", "--organization", "o", "--data-dir", &other])
        .args(&url)
        .output()
        .unwrap();
    assert!(
        one_line_error(&both).contains("there is no master key in"),
        "the folder is that of the key"
    );
}

#[tokio::test]
async fn the_data_folder_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let database = TestDatabase::start(Engine::Sqlite).await;
    let output = run(&["init", "--organization", "acme"], &database.flags);
    assert!(output.status.success());
    let folder = database.folder.path().join("data");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("master.key")), 0o600);
    assert_eq!(mode(&folder.join("forge.db")), 0o600);
}

#[tokio::test]
async fn files_that_everybody_may_read_or_write_are_told_with_what_to_do() {
    use std::os::unix::fs::PermissionsExt as _;
    let database = TestDatabase::start(Engine::Sqlite).await;
    let location = location(&database);
    init("acme", &location);
    let list = || {
        let output = run(&["admin", "user", "list", "--organization", "acme"], &location);
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(list(), "", "what Forge makes is its owner's alone");
    let at = |name: &str| database.folder.path().join(name);
    std::fs::write(at("data/forge.toml"), "").unwrap();
    for (path, mode, expected) in [
        ("keys/master.key", 0o644, "may read"),
        ("keys/master.key", 0o666, "may write to"),
        ("data", 0o777, "may write to"),
        ("data/forge.db", 0o604, "may read"),
        ("data/forge.toml", 0o646, "may write to"),
    ] {
        let path = at(path);
        let before = std::fs::metadata(&path).unwrap().permissions();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let said = list();
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.starts_with("warning: everybody on this machine "), "{said}");
        assert!(
            said.contains(&format!("{expected} {} ({mode:03o})", path.display())),
            "{said}"
        );
        assert!(said.contains("`chmod "), "{said}");
        let log = crate::process::Serving::start(&location).stop();
        assert!(log.contains("everybody on this machine"), "{log}");
        std::fs::set_permissions(&path, before).unwrap();
    }
}
