//! Who shares a commit with whom.

use std::time::Duration;

use forge_domain::{Clock as _, OrganizationId};
use forge_store::{OpenMode, PageRequest, Store, StoreError};
use forge_testkit::{Dice, both_engines};

use super::{Fixture, KIND, asset_id, insert, started};
use crate::fresh::{NOW, fresh};

#[tokio::test]
async fn writers_who_wait_together_share_a_commit() {
    let fixture = Fixture::start().await;
    let before = fixture.counts();
    let mut first = fixture.write().await;
    let (second, third) = (fixture.queued().await, fixture.queued().await);
    insert(&mut first, 1, "first").await;
    let number = first.change_number();
    let first = started(first.commit()).await;
    let mut second = second.await.unwrap();
    insert(&mut second, 2, "second").await;
    let second = started(second.commit()).await;
    let mut third = third.await.unwrap();
    assert_eq!(
        fixture.names().await,
        [""; 0],
        "nothing is seen before it is durable"
    );
    insert(&mut third, 3, "third").await;
    let numbers = [third.commit().await, second.await, first.await].map(Result::unwrap);
    assert_eq!(numbers, [number + 2, number + 1, number]);
    assert_eq!(fixture.names().await, ["first", "second", "third"]);
    let after = fixture.counts();
    assert_eq!(
        (after.commits - before.commits, after.writes - before.writes),
        (1, 3)
    );
}

#[tokio::test]
async fn who_comes_too_late_for_a_group_has_the_next_one() {
    let fixture = Fixture::start().await;
    fixture.store.set_group_time(Duration::ZERO);
    let before = fixture.counts();
    let first = fixture.write().await;
    let second = fixture.queued().await;
    let first = started(first.commit()).await;
    let second = second.await.unwrap();
    first.await.unwrap();
    second.commit().await.unwrap();
    let after = fixture.counts();
    assert_eq!(
        (after.commits - before.commits, after.writes - before.writes),
        (2, 2)
    );
}

#[tokio::test]
async fn a_group_has_a_hundred_writes_at_the_most() {
    let fixture = Fixture::start().await;
    let before = fixture.counts();
    let mut next = fixture.write().await;
    let (mut queue, mut commits) = (Vec::new(), Vec::new());
    for _ in 0..100 {
        queue.push(fixture.queued().await);
    }
    for queued in queue {
        commits.push(started(next.commit()).await);
        next = queued.await.unwrap();
    }
    for commit in commits {
        commit.await.unwrap();
    }
    next.commit().await.unwrap();
    let after = fixture.counts();
    assert_eq!(
        (after.commits - before.commits, after.writes - before.writes),
        (2, 101)
    );
}

#[tokio::test]
async fn a_writer_alone_has_a_commit_of_its_own() {
    let fixture = Fixture::start().await;
    let before = fixture.counts();
    for _ in 0..3 {
        fixture.write().await.commit().await.unwrap();
    }
    drop(fixture.write().await);
    let after = fixture.counts();
    assert_eq!(
        (after.commits - before.commits, after.writes - before.writes),
        (3, 3)
    );
}

#[tokio::test]
async fn what_was_seen_in_a_group_is_settled_when_the_group_is_durable() {
    let fixture = Fixture::start().await;
    let call = fixture.store.begin_request();
    call.await_durability().await.unwrap();
    let mut first = fixture.write().await;
    insert(&mut first, 1, "first").await;
    let (second, third) = (fixture.queued_on(&call).await, fixture.queued().await);
    let first = started(first.commit()).await;
    let mut second = second.await.unwrap();
    let found = second
        .find_asset_by_name(&fixture.organization, KIND, "first")
        .await;
    assert!(found.unwrap().is_some(), "it sees what is not durable yet");
    drop(second);
    let third = third.await.unwrap();
    let settled = started(async move { call.await_durability().await }).await;
    fixture.store.begin_request().await_durability().await.unwrap();
    third.commit().await.unwrap();
    settled.await.unwrap();
    first.await.unwrap();
}

#[tokio::test]
async fn closing_waits_for_the_writer_and_turns_the_others_away() {
    let (database, store, organization) = fresh().await;
    let mut write = store.write(&organization, NOW).await.unwrap().unwrap();
    insert(&mut write, 1, "first").await;
    let close = {
        let store = store.clone();
        tokio::spawn(async move { store.close().await })
    };
    // Readers are closed first; then closing stands in the writers' queue.
    while store.shared_commits().unwrap().waiting == 0 {
        tokio::task::yield_now().await;
    }
    let late = {
        let (store, organization) = (store.clone(), organization.clone());
        started(async move { store.write(&organization, NOW).await }).await
    };
    write.commit().await.unwrap();
    close.await.unwrap();
    let error = late.await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    let error = store.write(&organization, NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    drop(store);
    let store = Store::open(&database.url, OpenMode::MustExist).await.unwrap();
    let mut read = store.read().await.unwrap();
    assert!(
        read.find_asset_by_name(&organization, KIND, "first")
            .await
            .unwrap()
            .is_some()
    );
}

#[both_engines]
async fn of_many_writers_at_once_exactly_the_committed_are_there(server: TestServer) {
    let organization: OrganizationId = server.admin().organization.parse().unwrap();
    let (store, now) = (server.app.store.clone(), server.clock.now());
    store.set_group_time(Duration::from_secs(1));
    let before = store.shared_commits();
    let start = store
        .write(&organization, now)
        .await
        .unwrap()
        .unwrap()
        .change_number();
    let seed = Dice::seed();
    let writers = (0..32_u64).map(|writer| {
        let (store, organization) = (store.clone(), organization.clone());
        let mut dice = Dice::new(seed.wrapping_add(writer));
        tokio::spawn(async move {
            let mut committed = Vec::new();
            for round in 0..20_u64 {
                let number = writer * 100 + round;
                let mut write = store.write(&organization, now).await.unwrap().unwrap();
                insert(&mut write, number, &format!("{number}")).await;
                match dice.below(5) {
                    0 => drop(write),
                    // Fails, and what it wrote before is undone.
                    1 => {
                        let (other_id, name) = (asset_id(90_000 + number), number.to_string());
                        write.insert_asset(other_id, &name).await.unwrap_err();
                    }
                    2 => {
                        let other_id = asset_id(50_000 + number);
                        let abandoned = write.insert_asset(other_id, "abandoned");
                        let _ = tokio::time::timeout(Duration::ZERO, abandoned).await;
                        drop(write);
                    }
                    _ => committed.push((write.commit().await.unwrap(), format!("{number}"))),
                }
            }
            committed
        })
    });
    let mut committed = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        committed.extend(writer.await.unwrap());
    }
    committed.sort();
    let numbers: Vec<i64> = committed.iter().map(|(number, _)| *number).collect();
    let end = start + i64::try_from(numbers.len()).unwrap();
    assert_eq!(
        numbers,
        (start..end).collect::<Vec<_>>(),
        "no gaps; FORGE_TEST_SEED={seed}"
    );
    let mut read = store.read().await.unwrap();
    let there = read
        .list_assets(&organization, KIND, None, PageRequest::first(1000))
        .await
        .unwrap()
        .into_rows();
    let there: Vec<String> = there.into_iter().map(|asset| asset.name).collect();
    let names: Vec<String> = committed.into_iter().map(|(_, name)| name).collect();
    assert_eq!(
        there, names,
        "in the order of their numbers; FORGE_TEST_SEED={seed}"
    );
    if let (Some(before), Some(after)) = (before, store.shared_commits()) {
        assert_eq!(after.writes - before.writes, numbers.len() as u64);
        assert!(
            after.commits - before.commits < after.writes - before.writes,
            "some were shared: {after:?}"
        );
    }
}
