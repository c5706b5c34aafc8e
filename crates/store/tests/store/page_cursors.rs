//! Where pages of lists ended.

use std::time::Duration;

use forge_domain::{OrganizationId, Timestamp, UserRef};
use forge_store::{OpenMode, PageCursor, Position, SortValue, Store};
use forge_testkit::{TestDatabase, TestServer, both_engines};

const NOW: Timestamp = Timestamp::from_millis(1_000_000_000);
const FIRST: i64 = 1 << 52;

fn cursor(user_id: &str, name: &str) -> PageCursor {
    PageCursor {
        user: UserRef {
            org_id: "acme".parse().unwrap(),
            user_id: user_id.to_owned(),
        },
        list: "service".to_owned(),
        sort: "+Name".to_owned(),
        position: Position {
            values: vec![SortValue::Text(name.to_owned()), SortValue::Integer(1)],
            seq: 3,
        },
    }
}

/// Opens a store that has an organization.
async fn open(database: &TestDatabase) -> (Store, OrganizationId) {
    let server = TestServer::alone(database).await;
    let organization = server.admin().organization.parse().unwrap();
    (server.app.store.clone(), organization)
}

async fn keep(
    store: &Store,
    organization: &OrganizationId,
    token: i64,
    cursor: &PageCursor,
    now: Timestamp,
) -> bool {
    let mut tx = store.write_run(organization).await.unwrap();
    let is_kept = tx
        .keep_page_cursor(token, cursor, now, now - Duration::from_hours(2 * 24))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    is_kept
}

async fn find(store: &Store, organization: &OrganizationId, token: i64) -> Option<(PageCursor, Timestamp)> {
    let mut tx = store.read().await.unwrap();
    tx.find_page_cursor(organization, token).await.unwrap()
}

#[both_engines]
async fn a_number_stands_for_one_place_and_the_same_place_grows_younger(database: TestDatabase) {
    let (store, organization) = open(&database).await;
    let place = cursor("ann", "b\u{e9}");
    assert!(keep(&store, &organization, FIRST, &place, NOW).await);
    assert_eq!(
        find(&store, &organization, FIRST).await,
        Some((place.clone(), NOW))
    );
    let later = NOW + Duration::from_hours(24);
    assert!(keep(&store, &organization, FIRST, &place, later).await);
    assert_eq!(
        find(&store, &organization, FIRST).await,
        Some((place.clone(), later))
    );
    for other in [cursor("bob", "b\u{e9}"), cursor("ann", "b")] {
        assert!(!keep(&store, &organization, FIRST, &other, later).await);
    }
    assert_eq!(find(&store, &organization, FIRST).await, Some((place, later)));
    assert_eq!(find(&store, &organization, FIRST + 1).await, None);
    assert_eq!(find(&store, &"elsewhere".parse().unwrap(), FIRST).await, None);
}

#[both_engines]
async fn what_is_old_and_what_is_too_much_of_one_caller_is_forgotten(database: TestDatabase) {
    let (store, organization) = open(&database).await;
    assert!(keep(&store, &organization, FIRST, &cursor("bob", "old"), NOW).await);
    let now = NOW + Duration::from_hours(3 * 24);
    assert!(keep(&store, &organization, FIRST + 1, &cursor("bob", "young"), now).await);
    assert_eq!(find(&store, &organization, FIRST).await, None);
    // Numbers whose turn it is not, then one whose turn it is.
    let large = "x".repeat(300_000);
    for number in 1..=4 {
        let at = now.plus_seconds(number);
        assert!(
            keep(
                &store,
                &organization,
                FIRST + 16 + number,
                &cursor("ann", &large),
                at
            )
            .await
        );
    }
    assert!(
        keep(
            &store,
            &organization,
            FIRST + 32,
            &cursor("ann", "last"),
            now.plus_seconds(5)
        )
        .await
    );
    let mut kept = Vec::new();
    for token in [1, 17, 18, 19, 20, 32] {
        if find(&store, &organization, FIRST + token).await.is_some() {
            kept.push(token);
        }
    }
    assert_eq!(kept, [1, 18, 19, 20, 32], "the oldest of hers, and none of his");
}

#[both_engines]
async fn numbers_are_beyond_every_row_and_within_what_javascript_counts(database: TestDatabase) {
    let store = Store::open(&database.url, OpenMode::CreateIfMissing)
        .await
        .unwrap();
    store.close().await;
    for token in [0, FIRST - 1, 1 << 53] {
        let sql = format!(
            "INSERT INTO page_cursor VALUES ('acme', {token}, 'acme', 'ann', 'user', '', '[]', 1, 0)"
        );
        let refusal = database.refused(&sql).await;
        assert!(refusal.to_lowercase().contains("check"), "{token}: {refusal}");
    }
}
