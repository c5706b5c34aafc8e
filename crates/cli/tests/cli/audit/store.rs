//! What was done to the store is found.

use forge_testkit::{Engine, TestDatabase, both_engines};

use super::{Installation, field, verify};

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
