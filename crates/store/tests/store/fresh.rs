//! A store on SQLite that nobody serves, with one organization.

use forge_domain::user::Preferences;
use forge_domain::{OrganizationId, Timestamp};
use forge_store::{OpenMode, Store, StoreError};
use forge_testkit::{Engine, TestDatabase};

/// When everything happens there.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(0);

/// Creates an organization, the operator's if it is the first.
pub(crate) async fn create(store: &Store, id: &OrganizationId) {
    let preferences = Preferences::default();
    let mut tx = store.write_installation().await.unwrap();
    let is_new = match tx.insert_organization(id, "name", &preferences, NOW).await {
        Err(StoreError::Duplicate(_)) => {
            drop(tx);
            tx = store.write_installation().await.unwrap();
            tx.insert_organization(id, "name", &preferences, NOW).await
        }
        other => other,
    };
    assert!(is_new.unwrap());
    let write = store.write_created(tx, id, NOW).await.unwrap().unwrap();
    write.commit().await.unwrap();
}

/// Opens one, and returns with it whose it is and where.
pub(crate) async fn fresh() -> (TestDatabase, Store, OrganizationId) {
    let database = TestDatabase::start(Engine::Sqlite).await;
    let store = Store::open(&database.url, OpenMode::CreateIfMissing)
        .await
        .unwrap();
    let organization: OrganizationId = "acme".parse().unwrap();
    create(&store, &organization).await;
    (database, store, organization)
}
