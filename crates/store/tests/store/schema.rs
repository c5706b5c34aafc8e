//! What both engines must have in common.

use std::collections::BTreeSet;

use forge_store::{OpenMode, Store, all_statements};
use forge_testkit::{Engine, TestDatabase, both_engines};

#[both_engines]
async fn every_statement_is_valid(database: TestDatabase) {
    let store = Store::open(&database.url, OpenMode::CreateIfMissing)
        .await
        .unwrap();
    let statements = all_statements();
    assert!(statements.len() > 50, "{} statements", statements.len());
    for statement in statements {
        if let Err(error) = store.prepare(statement.sql).await {
            panic!("{}: {error}\n{}", statement.name, statement.sql);
        }
    }
}

/// A file that declares statements but is not asked for them would escape the test above.
#[test]
fn every_file_with_statements_is_collected() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let collector = std::fs::read_to_string(format!("{source}/catalogue.rs")).unwrap();
    let mut files = 0;
    for entry in std::fs::read_dir(source).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        if name != "statement" && (text.contains("statements! {") || text.contains("const STATEMENTS")) {
            files += 1;
            assert!(
                collector.contains(&format!("crate::{name}::STATEMENTS")),
                "{name} is not collected"
            );
        }
    }
    assert_eq!(files, 25);
}

/// A place in these lists is found again by the sort values of now, which is right only if those never change.
#[test]
fn what_lists_of_fixed_rows_are_sorted_by_is_never_updated() {
    let fixed = [
        ("behavior_invocation", &["invoked_at"][..]),
        ("conversation", &["created_at"]),
        (
            "conversation_message",
            &["interaction_id", "created_at", "number"],
        ),
        ("metric_result", &["created_at"]),
        ("unit_test_set_run", &["created_at"]),
    ];
    let mut updates = 0;
    for statement in all_statements() {
        for (table, columns) in fixed {
            let Some((_, update)) = statement.sql.split_once(&format!("UPDATE {table} SET ")) else {
                continue;
            };
            updates += 1;
            let sets = update.split(" WHERE ").next().unwrap().split_whitespace();
            let is_moved = |word: &str| columns.contains(&word) || word == "seq";
            assert!(
                !sets.clone().any(is_moved),
                "{}: {}",
                statement.name,
                statement.sql
            );
        }
    }
    assert!(updates > 5, "{updates} updates of these tables");
}

#[tokio::test]
async fn both_engines_have_the_same_tables_and_columns() {
    if !Engine::Postgres.is_available() {
        return;
    }
    let sqlite = TestDatabase::start(Engine::Sqlite).await;
    let postgres = TestDatabase::start(Engine::Postgres).await;
    for database in [&sqlite, &postgres] {
        Store::open(&database.url, OpenMode::CreateIfMissing)
            .await
            .unwrap()
            .close()
            .await;
    }
    let sqlite = sqlite
        .texts(
            "SELECT m.name || '.' || c.name || CASE WHEN c.\"notnull\" = 1 THEN ' not null' ELSE '' END
                || CASE WHEN c.pk > 0 THEN ' key ' || c.pk ELSE '' END
            FROM sqlite_master m, pragma_table_info(m.name) c
            WHERE m.type = 'table' AND m.name NOT LIKE '\\_%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite%'",
        )
        .await;
    let postgres = postgres
        .texts(
            "SELECT c.table_name || '.' || c.column_name || CASE c.is_nullable WHEN 'NO' THEN ' not null' ELSE '' END
                || COALESCE(' key ' || k.ordinal_position, '')
            FROM information_schema.columns c
            LEFT JOIN information_schema.table_constraints t ON t.table_schema = c.table_schema
                AND t.table_name = c.table_name AND t.constraint_type = 'PRIMARY KEY'
            LEFT JOIN information_schema.key_column_usage k ON k.constraint_schema = t.constraint_schema
                AND k.constraint_name = t.constraint_name AND k.column_name = c.column_name
            WHERE c.table_schema = 'public' AND c.table_name NOT LIKE '\\_%'",
        )
        .await;
    let difference: BTreeSet<_> = sqlite.symmetric_difference(&postgres).collect();
    assert!(difference.is_empty(), "{difference:#?}");
    assert!(sqlite.len() > 100);
}
