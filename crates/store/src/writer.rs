//! The one writer of SQLite: a task that owns the connection and lends it to one writer after the other.
//!
//! Writers who wait at the same time form a group. Each works inside a savepoint of one transaction, and all of them
//! share its commit: one sync instead of one each. A writer is told that its write is done when the commit has
//! succeeded, never before. See `docs/adr/0017-writers-share-a-commit.md`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot, watch};

use crate::direct::{self, Location, end_transaction};
use crate::durability::CommitOutcome;
use crate::error::StoreError;
use crate::place::Place;
use crate::pool_limits::ACQUIRE_TIMEOUT;
use crate::sqlite::BUSY_TIMEOUT;
use crate::watermarks::Announcement;

/// How long a group takes in new writers: the first one's answer waits for the last one.
const GROUP_TIME: Duration = Duration::from_millis(20);

/// How many writers a group has at most.
const GROUP_WRITERS: u64 = 100;

/// How many writers stand in the queue; more wait in front of it, in order too.
const QUEUE: usize = 1000;

const BEGIN: &str = "BEGIN IMMEDIATE";
const SAVEPOINT: &str = "SAVEPOINT writer";
const RELEASE: &str = "RELEASE writer";
const UNDO: &str = "ROLLBACK TO writer";
const COMMIT: &str = "COMMIT";

/// Where writers queue up.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    queue: Sender<Message>,
    shared: Arc<Shared>,
}

/// How many writes were made durable by how many commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedCommits {
    /// Commits, each with one sync.
    pub commits: u64,
    /// The writes that they made durable.
    pub writes: u64,
    /// How many writers are waiting for their turn now.
    pub waiting: usize,
}

/// What the task and its handles share.
#[derive(Debug)]
struct Shared {
    commits: AtomicU64,
    writes: AtomicU64,
    /// See [`GROUP_TIME`]; in microseconds.
    group_time: AtomicU64,
}

#[derive(Debug)]
enum Message {
    Turn(oneshot::Sender<Result<Turn, StoreError>>),
    Close(oneshot::Sender<()>),
}

/// The connection, while a writer has it.
///
/// Dropping it undoes what the writer did.
#[derive(Debug)]
pub(crate) struct Turn {
    desk: OwnedMutexGuard<Desk>,
    outcome: CommitOutcome,
    sees_pending: bool,
}

/// What is lent.
#[derive(Debug)]
struct Desk {
    connection: Connection,
    /// Where it is to.
    location: Location,
    /// The files that the connection is meant to be to.
    place: Place,
    /// Whether the connection can be used; if not, the next group opens another.
    is_sound: bool,
    /// Whether the writer who had it wants its write to be kept.
    is_kept: bool,
    /// What the writer wants to be learnt of its write once that is durable.
    announcement: Option<Announcement>,
}

impl Turn {
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.desk.connection
    }

    /// Returns the files that are written to.
    pub(crate) fn place(&self) -> &Place {
        &self.desk.place
    }

    /// Returns the outcome of the group's commit, if the writer can see writes that depend on it.
    pub(crate) fn seen(&self) -> Option<&CommitOutcome> {
        self.sees_pending.then_some(&self.outcome)
    }

    /// Gives the connection back and waits until the write is durable.
    ///
    /// It is announced by then, also if nobody waits any more.
    pub(crate) async fn commit(self, announcement: Option<Announcement>) -> Result<(), StoreError> {
        let Self {
            mut desk, outcome, ..
        } = self;
        desk.is_kept = true;
        desk.announcement = announcement;
        drop(desk);
        outcome.wait().await
    }
}

impl Writer {
    /// Starts the task; it ends when the last handle is gone.
    pub(crate) fn start(connection: Connection, location: Location, place: Place) -> Self {
        let desk = Arc::new(Mutex::new(Desk {
            connection,
            location,
            place,
            is_sound: true,
            is_kept: false,
            announcement: None,
        }));
        let (queue, messages) = channel(QUEUE);
        let shared = Arc::new(Shared {
            commits: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            group_time: AtomicU64::new(0),
        });
        let task = Task {
            desk,
            messages,
            shared: Arc::clone(&shared),
        };
        tokio::spawn(task.run());
        let writer = Self { queue, shared };
        writer.set_group_time(GROUP_TIME);
        writer
    }

    /// Waits for the connection, up to a time.
    pub(crate) async fn turn(&self, patience: Duration) -> Result<Turn, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let closed = || StoreError::from(sqlx::Error::PoolClosed);
        let queued = async {
            let sent = self.queue.send(Message::Turn(sender)).await;
            sent.map_err(|_| closed())?;
            receiver.await.map_err(|_| closed())?
        };
        tokio::time::timeout(patience, queued)
            .await
            .unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut.into()))
    }

    /// Closes the connection once nobody has it; whoever still waits for it, or comes later, is told so.
    pub(crate) async fn close(&self) {
        let (sender, receiver) = oneshot::channel();
        if self.queue.send(Message::Close(sender)).await.is_ok() {
            // An error means that the task has ended, and with it the connection.
            let _ = receiver.await;
        }
    }

    /// Limits how many pages of 4 KiB the database may have; for tests of a full disk.
    pub(crate) async fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        let mut turn = self.turn(ACQUIRE_TIMEOUT).await?;
        let sql = format!("PRAGMA max_page_count = {pages}");
        direct::execute(turn.connection(), &sql, &[])?;
        Ok(())
    }

    /// Sets how long a group takes in new writers; tests must not depend on how fast the machine is.
    pub(crate) fn set_group_time(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.shared.group_time.store(micros, Ordering::Relaxed);
    }

    pub(crate) fn shared_commits(&self) -> SharedCommits {
        SharedCommits {
            commits: self.shared.commits.load(Ordering::Relaxed),
            writes: self.shared.writes.load(Ordering::Relaxed),
            waiting: self.queue.max_capacity() - self.queue.capacity(),
        }
    }
}

struct Task {
    desk: Arc<Mutex<Desk>>,
    messages: Receiver<Message>,
    shared: Arc<Shared>,
}

impl Task {
    async fn run(mut self) {
        let mut late = None;
        loop {
            let next = match late.take() {
                Some(message) => Some(message),
                None => self.messages.recv().await,
            };
            match next {
                None => return,
                Some(Message::Turn(first)) if first.is_closed() => {}
                Some(Message::Turn(first)) => late = self.group(first).await,
                Some(Message::Close(told)) => return self.close(told),
            }
        }
    }

    fn close(self, told: oneshot::Sender<()>) {
        let Self { desk, messages, .. } = self;
        drop(messages);
        if let Some(desk) = Arc::into_inner(desk)
            && let Err(error) = unhurried(|| desk.into_inner().connection.close().map_err(|(_, error)| error))
        {
            tracing::warn!(%error, "the database was not closed properly");
        }
        let _ = told.send(());
    }

    /// Serves writers in one transaction until nobody waits, and commits what they want to keep.
    ///
    /// Returns a message that came too late for this group.
    async fn group(&mut self, first: oneshot::Sender<Result<Turn, StoreError>>) -> Option<Message> {
        let mut desk = Arc::clone(&self.desk).lock_owned().await;
        if let Err(error) = desk.begin() {
            let _ = first.send(Err(error));
            return None;
        }
        let began = Instant::now();
        let (publish, outcome) = watch::channel(None);
        let (mut writes, mut to, mut announcements) = (0, first, Vec::new());
        let mut under_way = None;
        let (ended, late) = loop {
            desk = self
                .lend(desk, to, CommitOutcome(outcome.clone()), writes > 0)
                .await;
            let is_kept = std::mem::take(&mut desk.is_kept);
            writes += u64::from(is_kept);
            announcements.extend(desk.announcement.take());
            match self.next_writer(began, writes) {
                Next::Writer(next) => {
                    match desk.next(is_kept) {
                        Ok(()) => to = next,
                        // The database has ended the transaction by itself. The next writer gets another one.
                        Err(error) => break (Err(lost(error)), Some(Message::Turn(next))),
                    }
                }
                Next::Nobody(late) => {
                    under_way = announcements.first().map(Announcement::begin);
                    break (desk.finish(is_kept, writes), late);
                }
            }
        };
        if ended.is_ok() && writes > 0 {
            self.shared.commits.fetch_add(1, Ordering::Relaxed);
            self.shared.writes.fetch_add(writes, Ordering::Relaxed);
        }
        if ended.is_ok() {
            announcements.iter().for_each(Announcement::make);
        }
        drop(under_way);
        if let Err(error) = &ended {
            tracing::warn!(%error, writes, "a group of writes was not made durable");
        }
        publish.send_replace(Some(ended));
        late
    }

    /// Lends the connection and waits until it comes back.
    ///
    /// Whoever stopped waiting gives it back at once.
    async fn lend(
        &self,
        desk: OwnedMutexGuard<Desk>,
        to: oneshot::Sender<Result<Turn, StoreError>>,
        outcome: CommitOutcome,
        sees_pending: bool,
    ) -> OwnedMutexGuard<Desk> {
        let turn = Turn {
            desk,
            outcome,
            sees_pending,
        };
        drop(to.send(Ok(turn)));
        Arc::clone(&self.desk).lock_owned().await
    }

    /// Returns who is next in this group: nobody if it is full or old, or if nobody waits.
    fn next_writer(&mut self, began: Instant, writes: u64) -> Next {
        let time = Duration::from_micros(self.shared.group_time.load(Ordering::Relaxed));
        while writes < GROUP_WRITERS && began.elapsed() < time {
            match self.messages.try_recv() {
                Ok(Message::Turn(next)) if next.is_closed() => {}
                Ok(Message::Turn(next)) => return Next::Writer(next),
                Ok(close @ Message::Close(_)) => return Next::Nobody(Some(close)),
                Err(_) => break,
            }
        }
        Next::Nobody(None)
    }
}

enum Next {
    Writer(oneshot::Sender<Result<Turn, StoreError>>),
    Nobody(Option<Message>),
}

impl Desk {
    fn run(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        let done = direct::execute(&self.connection, sql, &[]);
        if let Err(error) = &done {
            self.place.note_error(error);
            // Whatever is left of the transaction ends here; a connection that cannot do even that is replaced.
            self.is_sound = end_transaction(&self.connection);
        }
        done.map(drop)
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.place.require()?;
        if !self.is_sound {
            self.connection = unhurried(|| self.location.connect())?;
            self.is_sound = true;
        }
        self.lock()?;
        Ok(self.run(SAVEPOINT)?)
    }

    /// Begins the transaction, which no other process takes part in: only one that looks after the files by hand locks
    /// them, and is waited for.
    fn lock(&mut self) -> Result<(), sqlx::Error> {
        direct::set_patience(&self.connection, Duration::ZERO)?;
        let at_once = self.run(BEGIN);
        direct::set_patience(&self.connection, BUSY_TIMEOUT)?;
        match at_once {
            Err(error) if is_full_or_busy(&error) => unhurried(|| self.run(BEGIN)),
            other => other,
        }
    }

    /// Keeps or undoes what the last writer did, and goes on to the next one.
    fn next(&mut self, is_kept: bool) -> Result<(), sqlx::Error> {
        if !is_kept {
            return self.run(UNDO);
        }
        self.run(RELEASE)?;
        self.run(SAVEPOINT)
    }

    /// Ends the transaction: with a commit, if anything is to be kept.
    ///
    /// The last writer's part may not be.
    fn finish(&mut self, keeps_last: bool, writes: u64) -> Result<(), StoreError> {
        if writes == 0 {
            self.is_sound = end_transaction(&self.connection);
            return Ok(());
        }
        if let Err(error) = self.place.require() {
            self.is_sound = end_transaction(&self.connection);
            return Err(error);
        }
        if !keeps_last {
            self.run(UNDO).map_err(lost)?;
        }
        self.place.begin_commit();
        let committed = unhurried(|| self.run(COMMIT));
        // Files that went away or were overwritten in the meantime may hold the write or not.
        let found = self.place.end_commit();
        committed.map_err(|error| not_committed(error, writes))?;
        found.map_err(|loss| StoreError::OutcomeUnknown(Arc::new(loss.into())))
    }
}

/// Runs what may wait for the disk, while another thread takes over what else this one has to do.
fn unhurried<T>(run: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => tokio::task::block_in_place(run),
        _ => run(),
    }
}

/// The transaction ended before its commit: nothing of it was written.
fn lost(error: sqlx::Error) -> StoreError {
    StoreError::Unavailable(Arc::new(error))
}

/// Says what a failed commit means to those who wait for it.
fn not_committed(error: sqlx::Error, writes: u64) -> StoreError {
    match StoreError::from(error) {
        // Without room, or while another process has the lock, nothing was written.
        StoreError::Unavailable(cause) if is_full_or_busy(&cause) => StoreError::Unavailable(cause),
        // After a failed write or sync, nobody knows what a crash would leave.
        StoreError::Unavailable(cause) => StoreError::OutcomeUnknown(cause),
        // One of several broke a constraint that is only checked now. The others may try again.
        StoreError::Refused(cause) | StoreError::Duplicate(cause) if writes > 1 => {
            StoreError::Unavailable(cause)
        }
        other => other,
    }
}

fn is_full_or_busy(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    let code = code.and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| [5, 13].contains(&(code & 0xff)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_waits_for_a_turn_for_ever() {
        let location = Location::Memory;
        let writer = Writer::start(location.connect().unwrap(), location, Place::default());
        let held = writer.turn(ACQUIRE_TIMEOUT).await.unwrap();
        let error = writer.turn(Duration::from_millis(1)).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        held.commit(None).await.unwrap();
        writer
            .turn(ACQUIRE_TIMEOUT)
            .await
            .unwrap()
            .commit(None)
            .await
            .unwrap();
    }
}
