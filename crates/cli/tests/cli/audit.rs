//! `forge audit`

use std::path::PathBuf;

use forge_testkit::{Engine, TestDatabase, both_engines};
use reqwest::Client;
use serde_json::{Value, json};

use crate::process::{Serving, forge, init, location};
use crate::serve::sign_in;

/// Runs `forge audit verify`, and returns its exit code with all that it said.
#[track_caller]
fn verify<S: AsRef<str>>(arguments: &[S]) -> (i32, String) {
    let arguments = arguments.iter().map(AsRef::as_ref);
    let output = forge()
        .args(["audit", "verify"])
        .args(arguments)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr]
        .map(|text| String::from_utf8(text).unwrap())
        .concat();
    (output.status.code().unwrap(), text)
}

/// A store without a server.
struct Installed {
    database: TestDatabase,
}

impl Installed {
    fn store(&self, more: &[&str]) -> Vec<String> {
        let more = more.iter().map(|text| (*text).to_owned());
        self.database.flags.iter().cloned().chain(more).collect()
    }

    /// Does what all constraints are against, as whoever owns the database can.
    async fn tamper(&self, sql: &str) {
        let unlock = match self.database.engine {
            Engine::Sqlite => "PRAGMA foreign_keys = OFF; DROP TRIGGER IF EXISTS audit_event_no_delete",
            Engine::Postgres => "SET session_replication_role = replica",
        };
        self.database.tamper(&format!("{unlock}; {sql}")).await;
    }
}

impl Installed {
    /// Takes away what the table of the log demands of its rows.
    async fn loosen(&self) {
        match self.database.engine {
            Engine::Sqlite => {
                self.tamper(
                    "CREATE TABLE loose AS SELECT * FROM audit_event;
                    DROP TABLE audit_event;
                    ALTER TABLE loose RENAME TO audit_event",
                )
                .await;
            }
            Engine::Postgres => {
                self.tamper(
                    "ALTER TABLE audit_event DROP CONSTRAINT audit_event_pkey;
                    ALTER TABLE audit_event ALTER sequence DROP NOT NULL, ALTER organization_id DROP NOT NULL;
                    ALTER TABLE audit_event DROP CONSTRAINT audit_event_sequence_check;
                    ALTER TABLE audit_event DROP CONSTRAINT audit_event_organization_id_previous_hash_key",
                )
                .await;
            }
        }
    }
}

/// A server of `acme`, somebody signed in there, and something in its log.
struct Installation {
    database: TestDatabase,
    server: Serving,
    token: String,
}

impl Installation {
    async fn start(database: TestDatabase) -> Self {
        let location = location(&database);
        let credentials = init("acme", &location);
        let server = Serving::start(&location);
        let token = sign_in(&server.address, &credentials).await;
        let installation = Self {
            database,
            server,
            token,
        };
        for name in ["Mira", "Noor", "Otto", "Pia"] {
            installation.create_agent(name).await;
        }
        installation
    }

    async fn create_agent(&self, name: &str) {
        let url = format!("{}/v1/acme/organization/agent", self.server.address);
        let request = Client::new()
            .post(url)
            .bearer_auth(&self.token)
            .json(&json!({"agent_name": name}));
        assert_eq!(request.send().await.unwrap().status(), 201);
    }

    async fn get(&self, path: &str) -> String {
        let url = format!("{}/v1/acme/audit_event/{path}", self.server.address);
        let answer = Client::new()
            .get(url)
            .bearer_auth(&self.token)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    }

    /// Writes a file, and returns its path.
    fn file(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.database.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Returns the options that name the store, and some more.
    fn store(&self, more: &[&str]) -> Vec<String> {
        self.database
            .flags
            .iter()
            .cloned()
            .chain(more.iter().map(|text| (*text).to_owned()))
            .collect()
    }

    /// Changes the log as somebody could who has the database.
    async fn tamper(&self, sql: &str) {
        let lock = match self.database.engine {
            Engine::Sqlite => {
                "DROP TRIGGER IF EXISTS audit_event_no_update; DROP TRIGGER IF EXISTS audit_event_no_delete"
            }
            Engine::Postgres => "ALTER TABLE audit_event DISABLE TRIGGER ALL",
        };
        for statement in lock.split("; ") {
            self.database.tamper(statement).await;
        }
        self.database.tamper(sql).await;
    }
}

fn field(text: &str, name: &str) -> String {
    let value: Value = serde_json::from_str(text).unwrap();
    value[name].as_str().unwrap().to_owned()
}

#[both_engines]
async fn an_export_and_the_store_are_intact_as_long_as_nobody_touched_them(database: TestDatabase) {
    let installation = Installation::start(database).await;
    let (export, head) = (installation.get("export").await, installation.get("head").await);
    assert_eq!(export.lines().count(), 6, "five writes and the checkpoint");
    let hash = field(&head, "hash");
    let file = installation.file("export", &export);
    let (code, said) = verify(&[&file]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains(&format!("acme: intact, 5 entries, head {hash}\n")),
        "{said}"
    );
    assert!(said.contains("note: without"), "{said}");
    assert!(said.contains("checked 1 log, 5 entries in all\n"), "{said}");
    let kept = installation.file("head", &head);
    let key = field(&head, "public_key");
    installation.create_agent("Quin").await;
    for options in [
        vec!["--expect-head", &hash],
        vec!["--checkpoint", &kept],
        vec!["--checkpoint", &file],
        vec![
            "--checkpoint",
            &kept,
            "--public-key",
            &key,
            "--organization",
            "acme",
        ],
    ] {
        let arguments = [vec![file.as_str()], options.clone()].concat();
        assert_eq!(verify(&arguments).0, 0, "{options:?}");
        // The store has grown since, and a server has it open.
        let (code, said) = verify(&installation.store(&options));
        assert_eq!(code, 0, "{options:?}: {said}");
        assert!(
            said.contains("acme: intact, 6 entries") && !said.contains("note"),
            "{said}"
        );
    }
    let store = installation.store(&["--json"]);
    installation.server.stop();
    let (code, said) = verify(&store);
    assert_eq!(code, 0, "{said}");
    let report: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&report["is_intact"], &report["entries"], &report["first_fault"]),
        (&json!(true), &json!(6), &Value::Null)
    );
}

#[both_engines]
async fn whatever_is_done_to_an_export_is_found(database: TestDatabase) {
    let installation = Installation::start(database).await;
    let (export, head) = (installation.get("export").await, installation.get("head").await);
    let lines: Vec<&str> = export.lines().collect();
    let broken = |what: &str, lines: Vec<&str>, options: &[&str], expected: &str| {
        let text: String = lines.iter().flat_map(|line| [*line, "\n"]).collect();
        let file = installation.file("broken", &text);
        let (code, said) = verify(&[&[file.as_str()], options].concat());
        assert_eq!(code, 1, "{what}: {said}");
        assert!(said.contains(expected), "{what}: {said}");
    };
    let edited = lines[2].replace("Noor", "Nora");
    broken(
        "an edit",
        [&lines[..2], &[edited.as_str()], &lines[3..]].concat(),
        &[],
        "entry 3 was edited",
    );
    let forged = {
        let mut line: Value = serde_json::from_str(&edited).unwrap();
        let text = line.to_string();
        let Ok(forge_wire::audit::Line::Event(event)) = forge_wire::audit::parse_line(text.as_bytes()) else {
            panic!("{text}")
        };
        line["hash"] = json!(event.0.hash());
        line.to_string()
    };
    broken(
        "an edit with its hash",
        [&lines[..2], &[forged.as_str()], &lines[3..]].concat(),
        &[],
        "the entry before entry 4 is not the one",
    );
    broken(
        "a drop",
        [&lines[..2], &lines[3..]].concat(),
        &[],
        "entry 3 is missing before entry 4",
    );
    broken(
        "a drop of the first",
        lines[1..].to_vec(),
        &[],
        "entry 1 is missing before entry 2",
    );
    let mut swapped = lines.clone();
    swapped.swap(1, 2);
    broken("a swap", swapped, &[], "entry 2 is missing before entry 3");
    broken(
        "a repetition",
        [&lines[..3], &lines[2..]].concat(),
        &[],
        "entry 3 stands where entry 4 is due",
    );
    broken(
        "an insertion",
        [&lines[..2], &["{}"], &lines[2..]].concat(),
        &[],
        "in the place of entry 3",
    );
    let half = &lines[4][..lines[4].len() / 2];
    broken(
        "a torn end",
        [&lines[..4], &[half]].concat(),
        &[],
        "in the place of entry 5",
    );
    // The checkpoint of the export itself misses what is gone before it; without it, something else has to.
    broken(
        "a gap before the checkpoint",
        [&lines[..4], &lines[5..]].concat(),
        &[],
        "the checkpoint after entry 4",
    );
    let cut = lines[..4].to_vec();
    let file = installation.file("cut", &(cut.join("\n") + "\n"));
    let (kept, hash) = (installation.file("head", &head), field(&head, "hash"));
    let key = field(&head, "public_key");
    // An export that does not end with its checkpoint broke off, or was cut: also right at its end, and to nothing.
    for options in [vec![], vec!["--public-key", &key]] {
        broken(
            "a cut tail",
            cut.clone(),
            &options,
            "ends after entry 4 without its signed checkpoint",
        );
        broken(
            "no checkpoint",
            lines[..5].to_vec(),
            &options,
            "ends after entry 5 without its signed checkpoint",
        );
        broken("nothing", vec![], &options, "there is no entry");
    }
    let (code, said) = verify(&[&file, &installation.file("whole", &export)]);
    assert_eq!(code, 1, "{said}");
    for options in [["--expect-head", hash.as_str()], ["--checkpoint", &kept]] {
        broken("a cut tail", cut.clone(), &options, "the log ends after entry 4");
    }
    let stranger = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    broken(
        "another key",
        lines.clone(),
        &["--public-key", stranger],
        "is not signed by the public key",
    );
    let renamed = lines[5].replace("\"kid\":\"", "\"kid\":\"x");
    broken(
        "an edited checkpoint",
        [&lines[..5], &[renamed.as_str()]].concat(),
        &["--public-key", &key],
        "is not signed by the public key",
    );
}

#[both_engines]
async fn whatever_is_done_to_the_store_is_found(database: TestDatabase) {
    let installation = Installation::start(database).await;
    let head = installation.get("head").await;
    let (kept, hash) = (installation.file("head", &head), field(&head, "hash"));
    let broken = |options: &[&str], expected: &str| {
        let (code, said) = verify(&installation.store(options));
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(expected), "{said}");
    };
    let put_name =
        |name: &str| format!("UPDATE audit_event SET after_document = '{name}' WHERE sequence = 3");
    installation.tamper(&put_name(r#"{"name":"Nora"}"#)).await;
    broken(&[], "acme: broken: entry 3 was edited");
    // Others may read a key that is there twice as the first, and nobody writes blanks.
    for other in [
        "{",
        r#"{"name":"Nora","name":"Noor"}"#,
        r#"{"name": "Noor"}"#,
        r#"{"name":"N\u006for"}"#,
    ] {
        installation.tamper(&put_name(other)).await;
        broken(&[], "in the place of entry 3");
    }
    installation.tamper(&put_name(r#"{"name":"Noor"}"#)).await;
    assert_eq!(verify(&installation.store(&[])).0, 0);
    installation
        .tamper("UPDATE audit_event SET created_at = created_at + 1 WHERE sequence = 2")
        .await;
    installation
        .tamper("UPDATE audit_event SET actor_kind = 'agent' WHERE sequence = 4")
        .await;
    broken(&[], "acme: broken in 2 places, first: entry 2 was edited");
    installation
        .tamper("UPDATE audit_event SET created_at = created_at - 1 WHERE sequence = 2")
        .await;
    installation
        .tamper("UPDATE audit_event SET actor_kind = 'key' WHERE sequence = 4")
        .await;
    installation
        .tamper("DELETE FROM audit_event WHERE sequence = 5")
        .await;
    broken(
        &[],
        "the log ends after entry 4, but the organization has made changes since, up to change 5",
    );
    broken(&["--expect-head", &hash], "the log ends after entry 4");
    broken(&["--checkpoint", &kept], "the log ends after entry 4");
    installation
        .tamper("DELETE FROM audit_event WHERE sequence = 2")
        .await;
    broken(&[], "entry 2 is missing before entry 3");
}

#[both_engines]
async fn rows_beside_the_log_are_found(database: TestDatabase) {
    let installation = Installation::start(database).await;
    installation.server.stop();
    let installation = Installed {
        database: installation.database,
    };
    let is_sqlite = installation.database.engine == Engine::Sqlite;
    installation.loosen().await;
    let check = |options: &[&str]| verify(&installation.store(options));
    let (code, said) = check(&[]);
    assert_eq!(code, 0, "{said}");
    let unnumbered = "so many entries have no number of their own, or none that can be read: 1";
    let ownerless = "there are entries under an id that no organization can have: ";
    // What is put in is of the first entry, but for its organization and its number.
    for (organization, sequence, expected) in [
        (
            "organization_id",
            "-9223372036854775808",
            "entry -9223372036854775808 stands where entry 1 is due",
        ),
        ("organization_id", "-1", "entry -1 stands where entry 1 is due"),
        ("organization_id", "0", "entry 0 stands where entry 1 is due"),
        (
            "organization_id",
            "9223372036854775807",
            "entries 6 to 9223372036854775806 are missing",
        ),
        ("organization_id", "1", "broken"),
        ("organization_id", "NULL", unnumbered),
        (
            "'other'",
            "1",
            "other: broken in 2 places, first: the store does not know the organization",
        ),
        (
            "'other'",
            "NULL",
            "other: broken in 3 places, first: the store does not know the organization",
        ),
        ("'ACME'", "1", ownerless),
        ("'acme '", "1", ownerless),
        ("''", "1", ownerless),
        ("NULL", "1", ownerless),
        ("organization_id", "'six'", unnumbered),
        ("organization_id", "2.5", unnumbered),
        ("organization_id", "x'02'", unnumbered),
        ("CAST(organization_id AS BLOB)", "2", ownerless),
    ] {
        if !is_sqlite && (sequence.contains(['\'', '.']) || organization.contains("BLOB")) {
            // PostgreSQL takes nothing of another type.
            continue;
        }
        let insert = format!(
            "INSERT INTO audit_event (organization_id, sequence, change_number, created_at, actor_org_id, actor_user_id,
                    actor_kind, action, object_kind, object_id, before_document, after_document, previous_hash, hash)
                SELECT {organization}, {sequence}, change_number, created_at, actor_org_id, actor_user_id,
                    actor_kind, action, object_kind, object_id, before_document, after_document, previous_hash, 'beside' FROM audit_event WHERE sequence = 1"
        );
        installation.tamper(&insert).await;
        let (code, said) = check(&[]);
        assert_eq!(code, 1, "{organization}, {sequence}: {said}");
        assert!(said.contains(expected), "{organization}, {sequence}: {said}");
        installation
            .tamper("DELETE FROM audit_event WHERE hash = 'beside'")
            .await;
    }
    assert_eq!(check(&[]).0, 0);
    installation.tamper("DELETE FROM organization").await;
    for options in [vec![], vec!["--organization", "acme"]] {
        let (code, said) = check(&options);
        assert_eq!(code, 1, "{said}");
        assert!(
            said.contains("acme: broken: the store does not know the organization"),
            "{said}"
        );
        assert!(said.contains("checked 1 log, 5 entries in all"), "{said}");
    }
}

#[both_engines]
async fn an_emptied_store_is_a_fault(database: TestDatabase) {
    let installation = Installation::start(database).await;
    let hash = field(&installation.get("head").await, "hash");
    installation.server.stop();
    let installation = Installed {
        database: installation.database,
    };
    let broken = |options: &[&str], expected: &str| {
        let (code, said) = verify(&installation.store(options));
        assert_eq!(code, 1, "{options:?}: {said}");
        assert!(said.contains(expected), "{options:?}: {said}");
        said
    };
    let said = broken(&["--organization", "nobody"], "nobody: broken: there is no entry");
    assert!(said.contains("checked 1 log, 0 entries in all"), "{said}");
    installation.tamper("DELETE FROM audit_event").await;
    broken(&[], "acme: broken: there is no entry");
    broken(
        &["--expect-head", &hash],
        "acme: broken in 2 places, first: there is no entry",
    );
    installation.tamper("DELETE FROM organization").await;
    for options in [vec![], vec!["--expect-head", &hash], vec!["--json"]] {
        let said = broken(&options, "the store has no log");
        assert!(said.contains("checked 0 logs, 0 entries in all"), "{said}");
    }
    broken(
        &["--organization", "acme", "--expect-head", &hash],
        "acme: broken: there is no entry",
    );
}

#[both_engines]
async fn an_export_goes_on_where_another_one_ended(database: TestDatabase) {
    let installation = Installation::start(database).await;
    let first = installation.file("first", &installation.get("export").await);
    installation.create_agent("Quin").await;
    let rest = installation.file("rest", &installation.get("export?after_sequence=5").await);
    let (code, said) = verify(&[&first, &rest]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("6 entries"), "{said}");
    for wrong in [vec![&rest], vec![&rest, &first]] {
        assert_eq!(verify(&wrong).0, 1);
    }
}

#[both_engines]
async fn what_cannot_be_checked_is_not_called_broken(database: TestDatabase) {
    let installation = Installation::start(database).await;
    let file = installation.file("export", &installation.get("export").await);
    let nowhere = installation
        .database
        .folder
        .path()
        .join("nowhere")
        .display()
        .to_string();
    init("other", &location(&installation.database));
    let hash = field(&installation.get("head").await, "hash");
    let stranger = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    for (arguments, expected) in [
        (vec![], "name what to look at"),
        (vec![nowhere.clone()], "cannot read"),
        (
            vec![file.clone(), "--data-dir".into(), nowhere.clone()],
            "cannot be used with",
        ),
        (
            vec!["--data-dir".into(), nowhere.clone()],
            "there is no Forge store in",
        ),
        (
            vec![file.clone(), "--expect-head".into(), "abc".into()],
            "64 hexadecimal digits",
        ),
        (
            vec![file.clone(), "--organization".into(), "other".into()],
            "this is the log of `acme`, not of `other`",
        ),
        (
            vec![file.clone(), "--checkpoint".into(), nowhere.clone()],
            "cannot read",
        ),
        (
            vec![
                file.clone(),
                "--checkpoint".into(),
                file.clone(),
                "--public-key".into(),
                stranger.into(),
            ],
            "is not signed by the public key",
        ),
        (
            installation.store(&["--expect-head", &hash]),
            "the store has several logs",
        ),
    ] {
        let (code, said) = verify(&arguments);
        assert_eq!(code, 2, "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    assert!(!std::path::Path::new(&nowhere).exists(), "nothing was made");
    // Each log of a store has its line.
    let (code, said) = verify(&installation.store(&[]));
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("acme: intact") && said.contains("other: intact, 1 entries"),
        "{said}"
    );
}
