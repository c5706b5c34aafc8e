//! A store on SQLite that nobody serves, with one organization.

use forge_domain::user::Preferences;
use forge_domain::{OrganizationId, Timestamp};
use forge_store::{OpenMode, Store};
use forge_testkit::{Engine, TestDatabase};

/// When everything happens there.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(0);

/// Opens one, and returns with it whose it is and where.
pub(crate) async fn fresh() -> (TestDatabase, Store, OrganizationId) {
    let database = TestDatabase::start(Engine::Sqlite).await;
    let store = Store::open(&database.url, OpenMode::CreateIfMissing)
        .await
        .unwrap();
    let organization: OrganizationId = "acme".parse().unwrap();
    let created = store
        .create_organization(&organization, "Acme", &Preferences::default(), NOW)
        .await;
    created.unwrap().unwrap().commit().await.unwrap();
    (database, store, organization)
}
