//! Rows of lists are read as long as there is room for them.

use forge_domain::asset::AssetId;
use forge_domain::{Clock as _, OrganizationId, UserRef, VersionNumber};
use forge_store::{MOST_BYTES, PageRequest, VersionBounds};
use forge_testkit::{Dice, TestServer, both_engines};
use serde_json::json;

fn organization(server: &TestServer) -> OrganizationId {
    server.admin().organization.parse().unwrap()
}

fn version(number: i64) -> VersionNumber {
    number.try_into().unwrap()
}

/// Adds versions of these sizes to a new context graph, and returns its id.
async fn graph(server: &TestServer, sizes: &[usize]) -> AssetId {
    let id = AssetId::ContextGraph(server.context_graph(0).await.parse().unwrap());
    let organization = organization(server);
    let by = UserRef {
        org_id: organization.clone(),
        user_id: "alex".to_owned(),
    };
    for (number, size) in (1..).zip(sizes) {
        let write = server.app.store.write(&organization, server.clock.now()).await;
        let mut tx = write.unwrap().unwrap();
        let document = json!("x".repeat(*size)).to_string();
        tx.insert_version(id, version(number), document, &by)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
    id
}

#[both_engines]
async fn a_read_ends_with_the_row_that_uses_up_the_room_and_the_next_one_goes_on_after_it(
    server: TestServer,
) {
    let seed = Dice::seed();
    let mut dice = Dice::new(seed);
    let sizes: Vec<usize> = (0..12)
        .map(|_| usize::try_from(1 + dice.below(2_000_000)).unwrap())
        .collect();
    let id = graph(&server, &sizes).await;
    let all: Vec<i64> = (1..=12).collect();
    for is_descending in [false, true] {
        let expected: Vec<i64> = if is_descending {
            all.iter().rev().copied().collect()
        } else {
            all.clone()
        };
        // All of it in one transaction: what nobody took of one read is in the way of no other statement.
        let mut tx = server.app.store.read().await.unwrap();
        let (mut seen, mut after) = (Vec::new(), 0);
        loop {
            let organization = organization(&server);
            let bounds = VersionBounds {
                lower: version(1),
                upper: version(12),
                is_descending,
            };
            let page = PageRequest { after, limit: 20 };
            let rows = tx.list_versions(&organization, id, bounds, page).await.unwrap();
            let read: Vec<(i64, usize)> = rows
                .iter()
                .map(|row| (row.version.get(), row.document.get().len()))
                .collect();
            let bytes: usize = read.iter().map(|(_, bytes)| bytes).sum();
            let last = read.last().map_or(0, |(_, bytes)| *bytes);
            assert!(bytes - last < MOST_BYTES, "FORGE_TEST_SEED={seed}: {read:?}");
            let is_last = rows.are_last(20);
            assert!(
                is_last || rows.bytes() >= MOST_BYTES,
                "FORGE_TEST_SEED={seed}: {read:?}"
            );
            seen.extend(read.iter().map(|(number, _)| *number));
            if is_last {
                break;
            }
            after = *seen.last().unwrap();
        }
        assert_eq!(seen, expected, "FORGE_TEST_SEED={seed}");
        assert!(tx.find_asset(&organization(&server), id).await.unwrap().is_some());
    }
}

#[both_engines]
async fn a_row_counts_as_it_is_told(server: TestServer) {
    for (number, (text, bytes)) in [
        ("x".repeat(100), 100),
        ("\u{1}\"".repeat(10), 80),
        ("ä".repeat(10), 20),
    ]
    .into_iter()
    .enumerate()
    {
        let organization = organization(&server);
        let write = server.app.store.write(&organization, server.clock.now()).await;
        let mut tx = write.unwrap().unwrap();
        let id = AssetId::Agent(format!("{number:0>24}").parse().unwrap());
        tx.insert_asset(id, &text).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = server.app.store.read().await.unwrap();
        let row = tx.asset_row(&organization, id).await.unwrap();
        assert_eq!(row.bytes(), 24 + bytes);
    }
}
