//! The invariants, held by the database itself: SQL behind Forge's back is refused.

use forge_store::{OpenMode, Store, StoreUrl};
use forge_testkit::both_engines;

/// An organization with an agent `a` of two versions, another agent `b` without, a graph `g` of one version, and a
/// service `s` on `a` and `g` with its two sets, in one transaction as Forge writes them.
fn sound_rows() -> String {
    let version = |table: &str, of: &str, version: i64, previous: &str| {
        format!(
            "INSERT INTO {table}_version (organization_id, {table}_id, version, previous_version, document,
                change_number, creator_org_id, creator_user_id, created_at)
            VALUES ('o', '{of}', {version}, {previous}, '{{}}', 1, 'o', 'u', 0);"
        )
    };
    let asset = |table: &str, id: &str, seq: i64| {
        format!(
            "INSERT INTO {table} (organization_id, id, seq, name, is_deprecated, created_at)
            VALUES ('o', '{id}', {seq}, '{id}', FALSE, 0);"
        )
    };
    [
        "BEGIN;".to_owned(),
        "INSERT INTO organization (id, name, is_operator, is_deleted, is_in_maintenance, default_user_preferences,
            change_number, changed_at, created_at) VALUES ('o', 'o', TRUE, FALSE, FALSE, '{}', 0, 0, 0);"
            .to_owned(),
        asset("agent", "a", 1),
        asset("agent", "b", 2),
        asset("context_graph", "g", 1),
        version("agent", "a", 1, "NULL"),
        version("agent", "a", 2, "1"),
        version("context_graph", "g", 1, "NULL"),
        service("s", 1, "same", "TRUE"),
        set("s", "edge", "NULL"),
        set("s", "release", "2"),
        item("i", 1, "metric", "same", "TRUE"),
        item_version("i", 1, "NULL"),
        "INSERT INTO audit_event (organization_id, sequence, change_number, created_at, actor_org_id, actor_user_id,
            actor_kind, action, object_kind, object_id, before_document, after_document, previous_hash, hash)
            VALUES ('o', 1, 1, 0, 'o', 'u', 'key', 'create', 'x', 'y', 'null', 'null', '0', '1');"
            .to_owned(),
        "COMMIT;".to_owned(),
    ]
    .join("\n")
}

fn service(id: &str, seq: i64, name: &str, is_active: &str) -> String {
    format!(
        "INSERT INTO service (organization_id, id, seq, name, name_hash, description, is_active, agent_id, context_graph_id, tags,
            keyterms, creator_org_id, creator_user_id, updated_by_org_id, updated_by_user_id, created_at, updated_at)
        VALUES ('o', '{id}', {seq}, '{name}', '{name}', 'd', {is_active}, 'a', 'g', '{{}}', '[]', 'o', 'u', 'o', 'u', 0, 0);"
    )
}

fn item(id: &str, seq: i64, kind: &str, name: &str, is_active: &str) -> String {
    format!(
        "INSERT INTO versioned_item (organization_id, id, kind, seq, name, name_hash, is_active, is_deleted, tags, details,
            latest_version, search_name, search_text, creator_org_id, creator_user_id, updated_by_org_id,
            updated_by_user_id, created_at, updated_at)
        VALUES ('o', '{id}', '{kind}', {seq}, '{name}', '{name}', {is_active}, FALSE, '{{}}', '{{}}', 1, '', '', 'o', 'u',
            'o', 'u', 0, 0);"
    )
}

fn item_version(item: &str, version: i64, previous: &str) -> String {
    format!(
        "INSERT INTO versioned_item_version (organization_id, item_id, version, previous_version, id, document,
            change_number, creator_org_id, creator_user_id, created_at)
        VALUES ('o', '{item}', {version}, {previous}, '{item}/{version}', '{{}}', 1, 'o', 'u', 0);"
    )
}

fn set(service: &str, name: &str, agent_version: &str) -> String {
    format!(
        "INSERT INTO version_set (organization_id, service_id, name, revision, is_deleted, agent_id, agent_version,
            context_graph_id, context_graph_version, model_preferences)
        VALUES ('o', '{service}', '{name}', 1, FALSE, 'a', {agent_version}, 'g', NULL, '{{}}');
        {}",
        revision(service, name, 1, "NULL")
    )
}

fn revision(service: &str, name: &str, number: i64, previous: &str) -> String {
    format!(
        "INSERT INTO version_set_revision (organization_id, service_id, name, revision, previous_revision, action,
            agent_id, context_graph_id, model_preferences, change_number, actor_org_id, actor_user_id, actor_kind,
            created_at)
        VALUES ('o', '{service}', '{name}', {number}, {previous}, 'create', 'a', 'g', '{{}}', 1, 'o', 'u', 'key', 0);"
    )
}

/// A unit test of the set `test` of service `s`, and a run of a set of unit tests with one conversation.
fn simulation_rows() -> String {
    let user = "'o', 'u', 'o', 'u', 0, 0";
    [
        set("s", "test", "1"),
        format!(
            "INSERT INTO unit_test (organization_id, id, seq, name, name_hash, description, service_id, version_set_name,
                persona_id, scenario_id, max_interactions, run_count, success_criterions, tags, is_deleted,
                live_is_deleted, live_is_active, creator_org_id, creator_user_id, updated_by_org_id,
                updated_by_user_id, created_at, updated_at)
            VALUES ('o', 't', 1, 't', 't', 'd', 's', 'test', 'p', 'c', 5, 1, '[]', '{{}}', FALSE, FALSE, TRUE, {user});"
        ),
        format!(
            "INSERT INTO unit_test_set (organization_id, id, seq, name, name_hash, unit_test_runs, tags, is_deleted,
                creator_org_id, creator_user_id, updated_by_org_id, updated_by_user_id, created_at, updated_at)
            VALUES ('o', 'q', 1, 'q', 'q', '[]', '{{}}', FALSE, {user});"
        ),
        run("r", 1, "running", "NULL"),
        "INSERT INTO unit_test_run (organization_id, run_id, number, spec, state, attempts, leased_until, verdicts,
            interactions) VALUES ('o', 'r', 0, 0, 'waiting', 0, 0, '[]', 0);"
            .to_owned(),
    ]
    .join("\n")
}

fn run(id: &str, seq: i64, status: &str, finished_at: &str) -> String {
    format!(
        "INSERT INTO unit_test_set_run (organization_id, id, seq, unit_test_set_id, unit_test_set_name, specs, status,
            failed_metrics, errored, creator_org_id, creator_user_id, created_at, finished_at)
        VALUES ('o', '{id}', {seq}, 'q', 'q', '[]', '{status}', FALSE, FALSE, 'o', 'u', 0, {finished_at});"
    )
}

async fn sound(database: &forge_testkit::TestDatabase) {
    let store = Store::open(&database.url, OpenMode::CreateIfMissing)
        .await
        .unwrap();
    store.close().await;
    drop(store);
    assert!(matches!(
        database.url,
        StoreUrl::Folder(_) | StoreUrl::Postgres(_)
    ));
    database.tamper(&sound_rows()).await;
}

/// Runs statements as one transaction that the database must refuse, at the latest when it commits.
async fn refuse(database: &forge_testkit::TestDatabase, sql: &str) {
    let reason = database.refused(&format!("BEGIN;\n{sql}\nCOMMIT;")).await;
    assert!(reason.contains("constraint"), "{sql}: {reason}");
}

#[both_engines]
async fn a_live_unit_test_keeps_its_set_and_its_service(database: TestDatabase) {
    sound(&database).await;
    database
        .tamper(&format!("BEGIN;\n{}\nCOMMIT;", simulation_rows()))
        .await;
    let gone = [
        "UPDATE version_set SET is_deleted = TRUE WHERE name = 'test';",
        "UPDATE service SET is_active = FALSE WHERE id = 's';",
    ];
    for sql in gone {
        refuse(&database, sql).await;
    }
    for sql in [
        "UPDATE unit_test SET version_set_name = 'preview';",
        "UPDATE unit_test SET live_is_deleted = NULL;",
        "UPDATE unit_test SET live_is_active = NULL;",
        "UPDATE unit_test SET live_is_deleted = TRUE;",
        "UPDATE unit_test SET live_is_active = FALSE;",
        "UPDATE unit_test SET is_deleted = TRUE;",
    ] {
        refuse(&database, sql).await;
    }
    database
        .tamper("UPDATE unit_test SET is_deleted = TRUE, live_is_deleted = NULL, live_is_active = NULL;")
        .await;
    for sql in gone {
        database.tamper(sql).await;
    }
    refuse(
        &database,
        "UPDATE unit_test SET is_deleted = FALSE, live_is_deleted = FALSE, live_is_active = TRUE;",
    )
    .await;
}

#[both_engines]
async fn a_user_has_one_unfinished_run_of_a_set_of_unit_tests(database: TestDatabase) {
    sound(&database).await;
    database
        .tamper(&format!("BEGIN;\n{}\nCOMMIT;", simulation_rows()))
        .await;
    refuse(&database, &run("x", 2, "running", "NULL")).await;
    refuse(&database, &run("x", 2, "completed", "NULL")).await;
    refuse(&database, &run("x", 2, "running", "1")).await;
    database.tamper(&run("x", 2, "cancelled", "1")).await;
    for sql in [
        "UPDATE unit_test_run SET state = 'running';",
        "UPDATE unit_test_run SET lease = 'x';",
        "UPDATE unit_test_run SET state = 'errored', finished_at = 1;",
        "UPDATE unit_test_run SET state = 'judged';",
    ] {
        refuse(&database, sql).await;
    }
    database
        .tamper("UPDATE unit_test_run SET state = 'running', lease = 'x';")
        .await;
}

#[both_engines]
async fn versions_history_and_audit_rows_never_change(database: TestDatabase) {
    sound(&database).await;
    for table in [
        "agent_version",
        "context_graph_version",
        "version_set_revision",
        "versioned_item_version",
        "audit_event",
    ] {
        let update = database
            .refused(&format!("UPDATE {table} SET organization_id = organization_id"))
            .await;
        assert!(update.contains("rows never change"), "{update}");
        let delete = database.refused(&format!("DELETE FROM {table}")).await;
        assert!(delete.contains("rows never change"), "{delete}");
    }
}

#[both_engines]
async fn numbers_have_no_gaps(database: TestDatabase) {
    sound(&database).await;
    let version = |version: i64, previous: &str| {
        format!("INSERT INTO agent_version VALUES ('o', 'a', {version}, {previous}, '{{}}', 1, 'o', 'u', 0);")
    };
    for (number, previous) in [
        (4, "3"),
        (4, "NULL"),
        (4, "2"),
        (0, "NULL"),
        (0, "-1"),
        (2, "1"),
        (3, "NULL"),
    ] {
        refuse(&database, &version(number, previous)).await;
    }
    database.tamper(&version(3, "2")).await;
    refuse(&database, &revision("s", "release", 3, "2")).await;
    refuse(&database, &revision("s", "release", 3, "NULL")).await;
    database.tamper(&revision("s", "release", 2, "1")).await;
}

#[both_engines]
async fn a_pin_names_a_version_of_the_services_own_agent_or_graph(database: TestDatabase) {
    sound(&database).await;
    let update = |change: &str| format!("UPDATE version_set SET {change} WHERE name = 'release';");
    for change in [
        "agent_version = 3",
        "agent_version = 0",
        "context_graph_version = 2",
        "agent_id = 'b'",
        "agent_id = 'b', agent_version = NULL",
        "context_graph_id = 'a'",
        "revision = 2",
    ] {
        refuse(&database, &update(change)).await;
    }
    database.tamper(&update("agent_version = 1")).await;
    // The service may not leave its sets behind either.
    refuse(&database, "UPDATE service SET agent_id = 'b' WHERE id = 's';").await;
}

#[both_engines]
async fn every_service_has_edge_which_never_changes_and_release_which_is_never_deleted(
    database: TestDatabase,
) {
    sound(&database).await;
    for sql in [
        "UPDATE version_set SET agent_version = 1 WHERE name = 'edge';",
        "UPDATE version_set SET model_preferences = '{\"a\":1}' WHERE name = 'edge';",
        "UPDATE version_set SET is_deleted = TRUE WHERE name = 'edge';",
        "UPDATE version_set SET is_deleted = TRUE WHERE name = 'release';",
        "DELETE FROM version_set WHERE name = 'release';",
        "DELETE FROM version_set WHERE name = 'edge';",
    ] {
        refuse(&database, sql).await;
    }
    refuse(&database, &service("without-sets", 2, "other", "TRUE")).await;
    let without_release = format!(
        "{}\n{}",
        service("t", 2, "other", "TRUE"),
        set("t", "edge", "NULL")
    );
    refuse(&database, &without_release).await;
}

#[both_engines]
async fn one_active_service_of_a_name_and_one_operator(database: TestDatabase) {
    sound(&database).await;
    let whole = |id: &str, seq: i64, is_active: &str| {
        let (edge, release) = (set(id, "edge", "NULL"), set(id, "release", "NULL"));
        format!("{}\n{edge}\n{release}", service(id, seq, "same", is_active))
    };
    refuse(&database, &whole("t", 2, "TRUE")).await;
    database
        .tamper(&format!("BEGIN;\n{}\nCOMMIT;", whole("t", 2, "FALSE")))
        .await;
    refuse(&database, "UPDATE service SET is_active = TRUE WHERE id = 't';").await;
    refuse(
        &database,
        "INSERT INTO organization VALUES ('p', 'p', TRUE, FALSE, FALSE, '{}', 0, 0, 0, 0);",
    )
    .await;
    refuse(
        &database,
        "INSERT INTO agent VALUES ('o', 'c', 3, 'a', FALSE, NULL, 0);",
    )
    .await;
}

#[both_engines]
async fn items_have_gapless_versions_and_names_that_are_taken_once(database: TestDatabase) {
    sound(&database).await;
    for (number, previous) in [(3, "2"), (3, "NULL"), (2, "NULL"), (0, "NULL"), (1, "NULL")] {
        refuse(&database, &item_version("i", number, previous)).await;
    }
    database.tamper(&item_version("i", 2, "1")).await;
    // Without a version, of another kind, inactive though not a behavior set, and with a name that is taken.
    refuse(&database, &item("j", 2, "metric", "other", "TRUE")).await;
    let with_version = |item: String| format!("{item}\n{}", item_version("j", 1, "NULL"));
    for (seq, kind, name, is_active) in [
        (2, "agent", "other", "TRUE"),
        (2, "metric", "other", "FALSE"),
        (2, "metric", "same", "TRUE"),
        (1, "metric", "other", "TRUE"),
    ] {
        refuse(&database, &with_version(item("j", seq, kind, name, is_active))).await;
    }
    let inactive = with_version(item("j", 1, "dynamic_behavior_set", "same", "FALSE"));
    database.tamper(&format!("BEGIN;\n{inactive}\nCOMMIT;")).await;
    refuse(
        &database,
        "UPDATE versioned_item SET latest_version = 3 WHERE id = 'i';",
    )
    .await;
    database
        .tamper("UPDATE versioned_item SET is_deleted = TRUE WHERE id = 'i';")
        .await;
    let item = item("k", 2, "metric", "same", "TRUE");
    database
        .tamper(&format!(
            "BEGIN;\n{item}\n{}\nCOMMIT;",
            item_version("k", 1, "NULL")
        ))
        .await;
}
