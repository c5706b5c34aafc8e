//! Yanked versions.

use forge_domain::asset::{AssetId, AssetKind};
use forge_domain::yank::{NewYank, YankedVersion};
use forge_domain::{Clock as _, OrganizationId, UserRef, VersionNumber};
use forge_store::StoreError;
use forge_testkit::{TestServer, both_engines};

const KINDS: [AssetKind; 2] = [AssetKind::Agent, AssetKind::ContextGraph];

fn organization(server: &TestServer) -> OrganizationId {
    server.admin().organization.parse().unwrap()
}

fn version(number: i64) -> VersionNumber {
    number.try_into().unwrap()
}

fn by(server: &TestServer) -> UserRef {
    UserRef {
        org_id: organization(server),
        user_id: "alex".to_owned(),
    }
}

/// Creates an agent and a context graph with that many versions each.
async fn assets(server: &TestServer, versions: usize) -> [AssetId; 2] {
    let (agent, graph) = (server.agent(versions).await, server.context_graph(versions).await);
    [
        AssetId::Agent(agent.parse().unwrap()),
        AssetId::ContextGraph(graph.parse().unwrap()),
    ]
}

async fn put(server: &TestServer, id: AssetId, number: i64, reason: Option<&str>) -> Result<(), StoreError> {
    let mut tx = server
        .app
        .store
        .write(&organization(server), server.clock.now())
        .await?
        .unwrap();
    let new = NewYank {
        is_yanked: reason.is_some(),
        reason: reason.unwrap_or("taken back"),
        by: &by(server),
    };
    tx.put_yank(id, version(number), new).await?;
    tx.commit().await.map(drop)
}

#[both_engines]
async fn the_last_word_about_a_version_counts(server: TestServer) {
    let ids = assets(&server, 3).await;
    for id in ids {
        for reason in [Some("it swears"), Some("it lies"), None, Some("it swears again")] {
            put(&server, id, 2, reason).await.unwrap();
            let mut tx = server.app.store.read().await.unwrap();
            let found = tx
                .find_yank(&organization(&server), id, version(2))
                .await
                .unwrap();
            assert_eq!(found.as_ref().map(|yank| yank.reason.as_str()), reason);
            if let Some(yank) = found {
                assert_eq!((yank.by, yank.since), (by(&server), server.clock.now()));
            }
            let other = tx
                .find_yank(&organization(&server), id, version(1))
                .await
                .unwrap();
            assert_eq!(other, None);
        }
    }
}

#[both_engines]
async fn a_plan_reads_the_yanks_of_both_in_a_fixed_order(server: TestServer) {
    let ids = assets(&server, 3).await;
    for id in ids {
        for number in [3, 1] {
            put(&server, id, number, Some("bad")).await.unwrap();
        }
        put(&server, id, 2, None).await.unwrap();
    }
    let mut tx = server.app.store.read().await.unwrap();
    let [AssetId::Agent(agent), AssetId::ContextGraph(graph)] = ids else {
        panic!("{ids:?}")
    };
    let found = tx
        .list_yanked(&organization(&server), agent, graph)
        .await
        .unwrap();
    let expected = KINDS.into_iter().flat_map(|asset| {
        [1, 3].map(|number| YankedVersion {
            asset,
            version: version(number),
            reason: "bad".to_owned(),
        })
    });
    assert_eq!(found, expected.collect::<Vec<_>>());
}

#[both_engines]
async fn a_page_of_versions_reads_the_yanks_between_two_numbers(server: TestServer) {
    let ids = assets(&server, 5).await;
    let stranger = server.stranger().organization.parse().unwrap();
    for id in ids {
        for number in [1, 2, 4, 5] {
            put(&server, id, number, Some("bad")).await.unwrap();
        }
        put(&server, id, 4, None).await.unwrap();
        let mut tx = server.app.store.read().await.unwrap();
        let bounds = version(2)..=version(4);
        let found = tx
            .list_yanks(&organization(&server), id, bounds.clone())
            .await
            .unwrap();
        assert_eq!(found.into_keys().collect::<Vec<_>>(), [version(2)]);
        assert!(tx.list_yanks(&stranger, id, bounds).await.unwrap().is_empty());
    }
}

#[both_engines]
async fn a_version_that_is_not_there_cannot_be_yanked(server: TestServer) {
    let ids = assets(&server, 1).await;
    for id in ids {
        assert!(put(&server, id, 2, Some("bad")).await.is_err());
        assert!(put(&server, id, 1, Some("bad")).await.is_ok());
    }
}
