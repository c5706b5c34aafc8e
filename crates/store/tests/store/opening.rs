//! Opening a store, and refusing to.

use forge_domain::{Clock as _, Timestamp};
use forge_store::{MIGRATIONS, OpenError, OpenMode, Store, StoreUrl};
use forge_testkit::{Engine, TestDatabase, TestServer, both_engines};

#[both_engines]
async fn a_missing_store_is_made_only_where_that_is_wanted(database: TestDatabase) {
    let missing = Store::open(&database.url, OpenMode::MustExist).await;
    assert!(matches!(missing, Err(OpenError::Missing(_))), "{missing:?}");
    Store::open(&database.url, OpenMode::CreateIfMissing)
        .await
        .unwrap()
        .close()
        .await;
    Store::open(&database.url, OpenMode::MustExist)
        .await
        .unwrap()
        .close()
        .await;
}

#[both_engines]
async fn only_the_clock_of_another_machine_is_compared_with_ours(database: TestDatabase) {
    let store = Store::open(&database.url, OpenMode::CreateIfMissing)
        .await
        .unwrap();
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let now = Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap());
    let lead = store.clock_lead(now).await.unwrap();
    let later = store.clock_lead(now.plus_seconds(3600)).await.unwrap();
    assert_eq!(lead.is_some(), store.is_shared());
    assert_eq!(lead.is_some(), later.is_some());
    // Both engines run here, so the clocks are one, however long the look takes.
    assert!(lead.is_none_or(|lead| lead < 1000) && later.is_none_or(|later| later > 3_500_000 - 600_000));
}

#[both_engines]
async fn a_store_of_a_newer_version_is_refused(database: TestDatabase) {
    Store::open(&database.url, OpenMode::CreateIfMissing)
        .await
        .unwrap()
        .close()
        .await;
    let newer = MIGRATIONS.last().unwrap().0 + 1;
    database
        .tamper(&format!(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                SELECT {newer}, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1"
        ))
        .await;
    let refused = Store::open(&database.url, OpenMode::MustExist).await.unwrap_err();
    assert!(
        matches!(refused, OpenError::NewerSchema { found, .. } if found == newer),
        "{refused:?}"
    );
    let text = refused.to_string();
    assert!(
        text.contains("upgrade this binary") && !text.contains('\n'),
        "{text}"
    );
}

#[both_engines]
async fn a_store_is_looked_at_while_it_is_open_elsewhere_and_nothing_can_be_written(database: TestDatabase) {
    let missing = Store::open(&database.url, OpenMode::ReadOnly).await;
    assert!(matches!(missing, Err(OpenError::Missing(_))), "{missing:?}");
    let server = TestServer::alone(&database).await;
    let organization = server.admin().organization.parse().unwrap();
    let look = Store::open(&database.url, OpenMode::ReadOnly).await.unwrap();
    let before = look
        .read()
        .await
        .unwrap()
        .audit_head(&organization)
        .await
        .unwrap();
    server.agent(1).await;
    let after = look
        .read()
        .await
        .unwrap()
        .audit_head(&organization)
        .await
        .unwrap();
    assert_eq!(
        after.sequence,
        before.sequence + 2,
        "what was written meanwhile is seen"
    );
    assert!(look.write(&organization, server.clock.now()).await.is_err());
    assert_eq!(
        server
            .app
            .store
            .read()
            .await
            .unwrap()
            .audit_head(&organization)
            .await
            .unwrap(),
        after
    );
}

#[both_engines]
async fn a_schema_that_is_not_exactly_known_is_not_looked_at(database: TestDatabase) {
    Store::open(&database.url, OpenMode::CreateIfMissing)
        .await
        .unwrap()
        .close()
        .await;
    let newest = MIGRATIONS.last().unwrap().0;
    for (change, back) in [
        (
            format!("UPDATE _sqlx_migrations SET version = version + 100 WHERE version = {newest}"),
            format!("UPDATE _sqlx_migrations SET version = {newest} WHERE version > {newest}"),
        ),
        (
            "UPDATE _sqlx_migrations SET version = -1 WHERE version = 1".to_owned(),
            "UPDATE _sqlx_migrations SET version = 1 WHERE version = -1".to_owned(),
        ),
        (
            format!("UPDATE _sqlx_migrations SET success = FALSE WHERE version = {newest}"),
            format!("UPDATE _sqlx_migrations SET success = TRUE WHERE version = {newest}"),
        ),
        (
            "UPDATE _sqlx_migrations SET checksum = (SELECT checksum FROM _sqlx_migrations WHERE version = 1)".to_owned(),
            String::new(),
        ),
    ] {
        database.tamper(&change).await;
        let refused = Store::open(&database.url, OpenMode::ReadOnly).await.unwrap_err();
        let is_told = matches!(refused, OpenError::NewerSchema { .. } | OpenError::OtherSchema(_));
        assert!(is_told, "{change}: {refused:?}");
        database.tamper(&back).await;
    }
}

#[both_engines]
async fn several_processes_may_migrate_at_once(database: TestDatabase) {
    // On SQLite only one may have the folder open: the others are told so.
    let open = || Store::open(&database.url, OpenMode::CreateIfMissing);
    let (first, second, third) = tokio::join!(open(), open(), open());
    let opened = [first, second, third];
    let count = opened.iter().filter(|store| store.is_ok()).count();
    match database.engine {
        Engine::Sqlite => assert_eq!(count, 1, "{opened:?}"),
        Engine::Postgres => assert_eq!(count, 3, "{opened:?}"),
    }
}

#[tokio::test]
async fn a_folder_is_open_in_one_process_only() {
    let database = TestDatabase::start(Engine::Sqlite).await;
    let first = Store::open(&database.url, OpenMode::CreateIfMissing)
        .await
        .unwrap();
    let second = Store::open(&database.url, OpenMode::MustExist).await.unwrap_err();
    assert!(matches!(second, OpenError::InUse(_)), "{second:?}");
    assert!(
        second.to_string().contains("in use by another Forge process"),
        "{second}"
    );
    first.close().await;
    drop(first);
    Store::open(&database.url, OpenMode::MustExist).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("forge.db");
    std::fs::write(
        &file,
        "not a database, but at least a hundred bytes long ".repeat(4),
    )
    .unwrap();
    let before = std::fs::read(&file).unwrap();
    let url = StoreUrl::Folder(folder.path().to_owned());
    assert!(Store::open(&url, OpenMode::MustExist).await.is_err());
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_without_the_password() {
    let url: StoreUrl = "postgres://forge:hunter2@127.0.0.1:1/forge".parse().unwrap();
    let error = Store::open(&url, OpenMode::MustExist).await.unwrap_err();
    assert!(matches!(error, OpenError::Connect { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}
