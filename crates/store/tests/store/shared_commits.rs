//! Writers who share a commit: what each may rely on, whatever the others do.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use forge_domain::asset::AssetKind;
use forge_domain::tag::Tags;
use forge_domain::{Clock as _, OrganizationId, Timestamp, UserRef};
use forge_store::{OpenMode, PageRequest, ServiceFields, SharedCommits, Store, StoreError, WriteTx};
use forge_testkit::{Dice, Engine, TestServer, both_engines};

use crate::fresh::{NOW, fresh};

const KIND: AssetKind = AssetKind::Agent;

type Later<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// A store on SQLite with one organization.
struct Fixture {
    store: Store,
    organization: OrganizationId,
    now: Timestamp,
    server: TestServer,
}

impl Fixture {
    async fn start() -> Self {
        let server = TestServer::start(Engine::Sqlite).await;
        // Groups end when nobody waits, however slow the machine is.
        server.app.store.set_group_time(Duration::MAX);
        Self {
            store: server.app.store.clone(),
            organization: server.admin().organization.parse().unwrap(),
            now: server.clock.now(),
            server,
        }
    }

    /// Begins a write and waits for its turn.
    async fn write(&self) -> WriteTx {
        self.store
            .write(&self.organization, self.now)
            .await
            .unwrap()
            .unwrap()
    }

    /// Begins a write that has its place in the queue, but not its turn yet.
    async fn queued(&self) -> Later<WriteTx> {
        self.queued_on(&self.store).await
    }

    async fn queued_on(&self, store: &Store) -> Later<WriteTx> {
        let (store, organization, now) = (store.clone(), self.organization.clone(), self.now);
        let before = self.counts().waiting;
        let later = started(async move { Ok(store.write(&organization, now).await?.unwrap()) }).await;
        assert_eq!(self.counts().waiting, before + 1, "somebody has the connection");
        later
    }

    fn counts(&self) -> SharedCommits {
        self.store.shared_commits().unwrap()
    }

    async fn names(&self) -> Vec<String> {
        let mut read = self.store.read().await.unwrap();
        let assets = read
            .list_assets(&self.organization, KIND, None, PageRequest::first(1000))
            .await;
        assets.unwrap().iter().map(|asset| asset.name.clone()).collect()
    }

    /// Creates an agent and a context graph for a service.
    async fn parts(&self) -> [String; 2] {
        [self.server.agent(1).await, self.server.context_graph(1).await]
    }

    /// Lets a write do what the database finds out only at the commit: a service without its sets.
    async fn spoil(&self, write: &mut WriteTx, [agent, graph]: &[String; 2]) {
        let fields = ServiceFields {
            name: "without sets".into(),
            description: String::new(),
            is_active: true,
            agent_id: agent.parse().unwrap(),
            context_graph_id: graph.parse().unwrap(),
            tags: Tags::new(),
            keyterms: Vec::new(),
        };
        let creator = UserRef {
            org_id: self.organization.clone(),
            user_id: self.server.admin().user_id.clone(),
        };
        let id = "0123456789abcdef0123ffff".parse().unwrap();
        write.insert_service(id, &fields, &creator).await.unwrap();
    }
}

/// Starts a future: polls it once.
async fn started<T>(future: impl Future<Output = Result<T, StoreError>> + Send + 'static) -> Later<T> {
    let mut later: Later<T> = Box::pin(future);
    let is_pending = poll_fn(|context| Poll::Ready(later.as_mut().poll(context).is_pending())).await;
    assert!(is_pending, "nobody has to wait");
    later
}

async fn insert(write: &mut WriteTx, number: u64, name: &str) {
    write
        .insert_asset(KIND, &format!("{number:024x}"), name)
        .await
        .unwrap();
}

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
    // This one is abandoned between sending a statement and its answer.
    let mut third = third.await.unwrap();
    insert(&mut third, 3, "third").await;
    // Now and then the answer is there at once; then the next statement is tried.
    for number in 100.. {
        let (id, name) = (format!("{number:024}"), format!("abandoned {number}"));
        let mut abandoned = std::pin::pin!(third.insert_asset(KIND, &id, &name));
        match poll_fn(|context| Poll::Ready(abandoned.as_mut().poll(context))).await {
            Poll::Pending => break,
            Poll::Ready(inserted) => inserted.unwrap(),
        }
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
    let error = second
        .insert_asset(KIND, "0123456789abcdef01234567", &large)
        .await;
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
async fn nothing_goes_on_after_a_failed_statement(server: TestServer) {
    let organization: OrganizationId = server.admin().organization.parse().unwrap();
    let now = server.clock.now();
    let mut write = server.app.store.write(&organization, now).await.unwrap().unwrap();
    insert(&mut write, 1, "twice").await;
    let error = write.insert_asset(KIND, &format!("{:024x}", 2), "twice").await;
    assert!(matches!(error, Err(StoreError::Duplicate(_))), "{error:?}");
    write
        .insert_asset(KIND, &format!("{:024x}", 3), "after it")
        .await
        .unwrap_err();
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
                        let (other_id, name) = (format!("{:024x}", 90_000 + number), number.to_string());
                        write.insert_asset(KIND, &other_id, &name).await.unwrap_err();
                    }
                    2 => {
                        let other_id = format!("{:024x}", 50_000 + number);
                        let abandoned = write.insert_asset(KIND, &other_id, "abandoned");
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
