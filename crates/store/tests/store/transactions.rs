//! What transactions promise.

use forge_domain::Clock as _;
use forge_domain::OrganizationId;
use forge_domain::asset::{AssetId, AssetKind};
use forge_store::{OpenMode, PageRequest, Store};
use forge_testkit::both_engines;

use crate::fresh;

const KIND: AssetKind = AssetKind::Agent;

#[both_engines]
async fn a_read_sees_one_moment(server: TestServer) {
    let organization = server.admin().organization.parse().unwrap();
    let mut read = server.app.store.read().await.unwrap();
    let before = read
        .list_assets(&organization, KIND, None, PageRequest::first(10))
        .await
        .unwrap()
        .into_rows();
    server.agent(1).await;
    let after = read
        .list_assets(&organization, KIND, None, PageRequest::first(10))
        .await
        .unwrap()
        .into_rows();
    assert_eq!(before, after);
    drop(read);
    let mut read = server.app.store.read().await.unwrap();
    assert_eq!(
        read.list_assets(&organization, KIND, None, PageRequest::first(10))
            .await
            .unwrap()
            .into_rows()
            .len(),
        before.len() + 1
    );
}

#[both_engines]
async fn a_dropped_write_leaves_nothing(server: TestServer) {
    let organization = server.admin().organization.parse().unwrap();
    let now = server.clock.now();
    let mut write = server.app.store.write(&organization, now).await.unwrap().unwrap();
    let number = write.change_number();
    write
        .insert_asset(
            AssetId::parse(KIND, "0123456789abcdef01234567").unwrap(),
            "left behind",
        )
        .await
        .unwrap();
    drop(write);
    let write = server.app.store.write(&organization, now).await.unwrap().unwrap();
    assert_eq!(write.change_number(), number, "the number was not used up");
    drop(write);
    let mut read = server.app.store.read().await.unwrap();
    assert_eq!(
        read.find_asset_by_name(&organization, KIND, "left behind")
            .await
            .unwrap(),
        None
    );
}

#[both_engines]
async fn change_numbers_have_no_gaps_and_times_never_go_back(server: TestServer) {
    let organization = server.admin().organization.parse().unwrap();
    let mut last = None;
    for step in [0, 5, -3600, 1] {
        server.clock.advance_seconds(step);
        let now = server.clock.now();
        let write = server.app.store.write(&organization, now).await.unwrap().unwrap();
        let change = (write.change_number(), write.changed_at());
        assert!(change.1 >= now);
        if let Some((number, at)) = last {
            assert_eq!(change.0, number + 1);
            assert!(change.1 >= at);
        }
        write.commit().await.unwrap();
        last = Some(change);
    }
}

#[both_engines]
async fn a_write_to_an_organization_that_is_not_there_is_none(server: TestServer) {
    let nobody = "nobody-here".parse().unwrap();
    assert!(
        server
            .app
            .store
            .write(&nobody, server.clock.now())
            .await
            .unwrap()
            .is_none()
    );
}

#[both_engines]
async fn writes_to_different_organizations_do_not_mix(server: TestServer) {
    let agent = AssetId::parse(KIND, &server.agent(1).await).unwrap();
    let stranger = server.stranger().organization.parse().unwrap();
    let mut read = server.app.store.read().await.unwrap();
    assert_eq!(read.find_asset(&stranger, agent).await.unwrap(), None);
    assert_eq!(
        read.list_assets(&stranger, KIND, None, PageRequest::first(10))
            .await
            .unwrap()
            .into_rows(),
        []
    );
}

#[both_engines]
async fn of_several_first_organizations_one_is_the_operators(database: TestDatabase) {
    let store = Store::open(&database.url, OpenMode::CreateIfMissing)
        .await
        .unwrap();
    let create = |id: &'static str| {
        let store = store.clone();
        tokio::spawn(async move {
            let id: OrganizationId = id.parse().unwrap();
            fresh::create(&store, &id).await;
            id
        })
    };
    let created = [create("a"), create("b"), create("c")];
    let mut operators = 0;
    for task in created {
        let id = task.await.unwrap();
        let organization = store
            .read()
            .await
            .unwrap()
            .find_organization(&id)
            .await
            .unwrap()
            .unwrap();
        operators += usize::from(organization.is_operator);
    }
    assert_eq!(operators, 1);
}

#[both_engines]
async fn abandoned_requests_leave_clean_connections(server: TestServer) {
    let organization: OrganizationId = server.admin().organization.parse().unwrap();
    let store = server.app.store.clone();
    let now = server.clock.now();
    for round in 0..400_u64 {
        // Whoever hangs up may do so between any two steps.
        let patience = std::time::Duration::from_micros(round * 2);
        let _ = tokio::time::timeout(patience, store.read()).await;
        let _ = tokio::time::timeout(patience, store.write(&organization, now)).await;
        if round % 20 == 0 {
            let write = store.write(&organization, now).await.unwrap().unwrap();
            write.commit().await.unwrap();
            store
                .read()
                .await
                .unwrap()
                .find_organization(&organization)
                .await
                .unwrap()
                .unwrap();
        }
    }
}
