//! What a failure of one costs the others.

use std::future::poll_fn;
use std::task::Poll;

use forge_domain::{Clock as _, OrganizationId};
use forge_store::{PageRequest, StoreError};
use forge_testkit::both_engines;

use super::{Fixture, KIND, asset_id, insert, started};

#[tokio::test]
async fn a_writer_who_gives_up_takes_along_only_what_is_its_own() {
    let fixture = Fixture::start().await;
    let mut first = fixture.write().await;
    let number = first.change_number();
    insert(&mut first, 1, "first").await;
    let (second, third, fourth) = (
        fixture.queued().await,
        fixture.queued().await,
        fixture.queued().await,
    );
    let first = started(first.commit()).await;
    let mut second = second.await.unwrap();
    insert(&mut second, 2, "second").await;
    drop(second);
    // One of this one's statements fails. None can be abandoned half-way: each is over before anybody else has a turn.
    let mut third = third.await.unwrap();
    insert(&mut third, 3, "third").await;
    {
        let mut again = std::pin::pin!(third.insert_asset(asset_id(3), "third again"));
        let inserted = poll_fn(|context| Poll::Ready(again.as_mut().poll(context))).await;
        assert!(
            matches!(inserted, Poll::Ready(Err(StoreError::Duplicate(_)))),
            "{inserted:?}"
        );
    }
    let error = third.commit().await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error:?}");
    let mut fourth = fourth.await.unwrap();
    assert_eq!(fourth.change_number(), number + 1);
    insert(&mut fourth, 4, "fourth").await;
    fourth.commit().await.unwrap();
    first.await.unwrap();
    assert_eq!(fixture.names().await, ["first", "fourth"]);
}

#[tokio::test]
async fn the_last_of_a_group_may_give_up_too() {
    let fixture = Fixture::start().await;
    let mut first = fixture.write().await;
    insert(&mut first, 1, "first").await;
    let second = fixture.queued().await;
    let first = started(first.commit()).await;
    let mut second = second.await.unwrap();
    insert(&mut second, 2, "second").await;
    drop(second);
    first.await.unwrap();
    assert_eq!(fixture.names().await, ["first"]);
}

#[tokio::test]
async fn a_writer_who_panics_is_undone_and_the_next_one_goes_on() {
    let fixture = Fixture::start().await;
    let mut write = fixture.write().await;
    let number = write.change_number();
    insert(&mut write, 1, "first").await;
    let panicked = tokio::spawn(async move {
        let _write = write;
        panic!("on purpose");
    });
    assert!(panicked.await.unwrap_err().is_panic());
    assert_eq!(fixture.write().await.change_number(), number);
    assert_eq!(fixture.names().await, [""; 0]);
}

#[tokio::test]
async fn who_stops_waiting_for_a_turn_holds_nobody_up() {
    let fixture = Fixture::start().await;
    let first = fixture.write().await;
    let (second, third, fourth) = (
        fixture.queued().await,
        fixture.queued().await,
        fixture.queued().await,
    );
    drop(second);
    let first = started(first.commit()).await;
    let third = third.await.unwrap();
    drop(fourth);
    third.commit().await.unwrap();
    first.await.unwrap();
    fixture.write().await.commit().await.unwrap();
}

/// A full disk ends SQLite's transaction by itself, and the savepoints of all with it.
#[tokio::test]
async fn a_full_disk_is_told_to_everybody_in_the_group_and_costs_nobody_after_it() {
    let fixture = Fixture::start().await;
    fixture.store.limit_pages(1).await.unwrap();
    let mut first = fixture.write().await;
    let number = first.change_number();
    insert(&mut first, 1, "first").await;
    let (second, third) = (fixture.queued().await, fixture.queued().await);
    let first = started(first.commit()).await;
    let mut second = second.await.unwrap();
    let large = "x".repeat(100_000);
    let error = second.insert_asset(asset_id(99), &large).await;
    assert!(matches!(error, Err(StoreError::Unavailable(_))), "{error:?}");
    let error = second.commit().await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error:?}");
    let third = third.await.unwrap();
    let error = first.await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert_eq!(third.change_number(), number, "nothing of the group is there");
    third.commit().await.unwrap();
    assert_eq!(fixture.names().await, [""; 0]);
    fixture.store.limit_pages(1_000_000).await.unwrap();
    let mut write = fixture.write().await;
    insert(&mut write, 1, &large).await;
    write.commit().await.unwrap();
}

#[tokio::test]
async fn a_commit_that_fails_is_told_to_everybody_in_the_group() {
    let fixture = Fixture::start().await;
    let parts = fixture.parts().await;
    let before = fixture.names().await;
    let mut first = fixture.write().await;
    let number = first.change_number();
    insert(&mut first, 1, "first").await;
    let second = fixture.queued().await;
    let first = started(first.commit()).await;
    let mut second = second.await.unwrap();
    fixture.spoil(&mut second, &parts).await;
    for error in [second.commit().await.unwrap_err(), first.await.unwrap_err()] {
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    }
    assert_eq!(fixture.names().await, before);
    let mut alone = fixture.write().await;
    assert_eq!(alone.change_number(), number);
    fixture.spoil(&mut alone, &parts).await;
    let error = alone.commit().await.unwrap_err();
    assert!(
        matches!(error, StoreError::Refused(_)),
        "whose fault it is, is clear: {error:?}"
    );
    fixture.write().await.commit().await.unwrap();
}

#[tokio::test]
async fn what_was_seen_in_a_group_that_failed_is_not_settled() {
    let fixture = Fixture::start().await;
    let parts = fixture.parts().await;
    let calls = [fixture.store.begin_request(), fixture.store.begin_request()];
    let first = fixture.write().await;
    let (second, third) = (fixture.queued_on(&calls[0]).await, fixture.queued().await);
    let fourth = fixture.queued_on(&calls[1]).await;
    let first = started(first.commit()).await;
    drop(second.await.unwrap());
    let mut third = third.await.unwrap();
    fixture.spoil(&mut third, &parts).await;
    let third = started(third.commit()).await;
    drop(fourth.await.unwrap());
    first.await.unwrap_err();
    third.await.unwrap_err();
    // A later turn in a group that fares well changes nothing about the earlier one.
    let first = fixture.write().await;
    let later = fixture.queued_on(&calls[1]).await;
    let first = started(first.commit()).await;
    drop(later.await.unwrap());
    first.await.unwrap();
    for call in calls {
        let error = call.await_durability().await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        call.await_durability().await.unwrap();
    }
}

#[both_engines]
async fn nothing_goes_on_after_a_failed_statement(server: TestServer) {
    let organization: OrganizationId = server.admin().organization.parse().unwrap();
    let now = server.clock.now();
    let mut write = server.app.store.write(&organization, now).await.unwrap().unwrap();
    insert(&mut write, 1, "twice").await;
    let error = write.insert_asset(asset_id(2), "twice").await;
    assert!(matches!(error, Err(StoreError::Duplicate(_))), "{error:?}");
    write.insert_asset(asset_id(3), "after it").await.unwrap_err();
    let error = write.commit().await.unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error:?}");
    let mut read = server.app.store.read().await.unwrap();
    assert_eq!(
        read.list_assets(&organization, KIND, None, PageRequest::first(10))
            .await
            .unwrap()
            .into_rows(),
        []
    );
}
