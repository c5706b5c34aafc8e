//! Files of the embedded database that go away while they are in use.

use forge_domain::refusal::AssetKind;
use forge_domain::user::Preferences;
use forge_domain::{OrganizationId, Timestamp};
use forge_store::{NotReady, OpenMode, Store, StoreError};
use forge_testkit::{Engine, TestDatabase};

#[tokio::test]
async fn a_write_whose_files_went_away_before_its_commit_is_none() {
    let database = TestDatabase::start(Engine::Sqlite).await;
    let store = Store::open(&database.url, OpenMode::CreateIfMissing)
        .await
        .unwrap();
    let organization: OrganizationId = "acme".parse().unwrap();
    let (preferences, now) = (Preferences::default(), Timestamp::from_millis(0));
    let created = store
        .create_organization(&organization, "Acme", &preferences, now)
        .await;
    created.unwrap().unwrap().commit().await.unwrap();

    let (data, away) = (
        database.folder.path().join("data"),
        database.folder.path().join("away"),
    );
    let mut write = store.write(&organization, now).await.unwrap().unwrap();
    let number = write.change_number();
    write
        .insert_asset(AssetKind::Agent, "0123456789abcdef01234567", "lost")
        .await
        .unwrap();
    std::fs::rename(&data, &away).unwrap();
    let error = write.commit().await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    let error = store.write(&organization, now).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert_eq!(store.readiness().await, Err(NotReady::FolderGone));

    std::fs::rename(&away, &data).unwrap();
    let write = store.write(&organization, now).await.unwrap().unwrap();
    assert_eq!(write.change_number(), number, "nothing of the write was kept");
    drop(write);
    store.close().await;
}
