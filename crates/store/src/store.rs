//! An open store, and the beginning of its transactions.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use forge_domain::{OrganizationId, Timestamp};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{Sqlite, SqlitePool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::durability::ReadDependencies;
use crate::engine::Engine;
use crate::error::StoreError;
use crate::idempotency::{CallName, NamedCall};
use crate::place::Loss;
use crate::pool_limits::ACQUIRE_TIMEOUT;
use crate::pools::{Pools, require_writer};
use crate::postgres::{BEGIN_READ, BEGIN_WRITE, acquire};
use crate::readiness::{LastLook, NotReady};
use crate::rows::MOST_BYTES;
use crate::tx::{Change, InstallationTx, Postponed, PostponedTx, ReadTx, RunTx, Tx, WriteTx};
use crate::watermarks::{Listener, Watermarks};
use crate::writer::{SharedCommits, Writer};

/// How often a write is begun before it counts as failed that others were in its way.
const ATTEMPTS: usize = 3;

/// How long to wait for one of the readers that are open where no other may be opened.
const IDLE_READER_TIMEOUT: Duration = Duration::from_secs(1);

/// A handle of an open store; one for each call, which costs little.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) shared: Arc<Shared>,
    dependencies: ReadDependencies,
    /// The call that uses this handle, if it may be repeated.
    call: Option<Arc<NamedCall>>,
}

/// What all handles of a store share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) pools: Pools,
    /// How far each organization has come, as far as this process knows.
    watermarks: Arc<Watermarks>,
    /// The connections that all share; some more are kept free for what everybody waits for.
    turns: Arc<Semaphore>,
    last_look: LastLook,
    /// How many bytes of rows are read at once, see [`MOST_BYTES`].
    room: AtomicUsize,
}

impl Store {
    pub(crate) fn new(pools: Pools) -> Self {
        let shared = Shared {
            turns: Arc::new(Semaphore::new(pools.shared_connections())),
            pools,
            watermarks: Arc::default(),
            last_look: LastLook::default(),
            room: AtomicUsize::new(MOST_BYTES),
        };
        Self {
            shared: Arc::new(shared),
            dependencies: ReadDependencies::default(),
            call: None,
        }
    }

    /// Makes room for fewer bytes of rows than [`MOST_BYTES`], so that small rows make pages end, too.
    ///
    /// For tests.
    pub fn limit_room(&self, bytes: usize) {
        self.shared.room.store(bytes, Ordering::Relaxed);
    }

    /// Returns how many may read at once, whoever they are; what brings memory up to date has connections of its own.
    pub fn readers(&self) -> usize {
        self.shared.pools.shared_connections()
    }

    /// Returns how far each organization has come, as far as this process knows.
    pub fn watermarks(&self) -> &Watermarks {
        &self.shared.watermarks
    }

    /// Returns `true` if other processes may write to the same database.
    pub fn is_shared(&self) -> bool {
        matches!(self.shared.pools, Pools::Postgres(_))
    }

    /// Begins to hear of the changes that other servers make, or `None` if there can be no others.
    pub async fn listen(&self) -> Result<Option<Listener>, StoreError> {
        match &self.shared.pools {
            Pools::Sqlite { .. } => Ok(None),
            Pools::Postgres(pool) => Listener::start(pool, Arc::clone(&self.shared.watermarks))
                .await
                .map(Some),
        }
    }

    /// Begins a transaction that sees the store as it is at one moment.
    pub async fn read(&self) -> Result<ReadTx, StoreError> {
        let turn = self.turn().await?;
        let mut read = self.read_at_once().await?;
        read.0.turn = Some(turn);
        Ok(read)
    }

    /// The same without waiting for those who read much: for what everybody waits for.
    pub async fn read_at_once(&self) -> Result<ReadTx, StoreError> {
        self.dependencies.note_read();
        let (engine, how) = match &self.shared.pools {
            Pools::Sqlite { readers, place, .. } => {
                let connection = match place.check() {
                    Ok(()) => readers.acquire().await.map_err(StoreError::no_connection)?,
                    // Those that are open read what was acknowledged; a new one would read whatever is there now.
                    Err(Loss::Gone) => {
                        let idle = tokio::time::timeout(IDLE_READER_TIMEOUT, idle_reader(readers)).await;
                        idle.map_err(|_| StoreError::no_connection(Loss::Gone.into()))?
                    }
                    // Nobody knows what would be read.
                    Err(damaged) => return Err(StoreError::no_connection(damaged.into())),
                };
                (Engine::Sqlite(connection, place.clone()), "BEGIN DEFERRED")
            }
            Pools::Postgres(pool) => (Engine::Postgres(acquire(pool).await?), BEGIN_READ),
        };
        let mut tx = Tx::new(engine).begin(how).await?;
        tx.room = self.shared.room.load(Ordering::Relaxed);
        Ok(ReadTx(tx))
    }

    /// Begins a write to an organization: waits for its lock and takes its next change number.
    ///
    /// Returns `None` if there is no such organization.
    pub async fn write(
        &self,
        organization: &OrganizationId,
        now: Timestamp,
    ) -> Result<Option<WriteTx>, StoreError> {
        let mut attempt = 1;
        loop {
            match self.try_write(organization, now).await {
                // Nothing has been read yet that the caller could have decided by.
                Err(StoreError::Contended(_)) if attempt < ATTEMPTS => attempt += 1,
                other => return other,
            }
        }
    }

    async fn try_write(
        &self,
        organization: &OrganizationId,
        now: Timestamp,
    ) -> Result<Option<WriteTx>, StoreError> {
        let known = self.shared.watermarks.of(organization).number();
        let mut tx = self.begin_write().await?;
        // READ COMMITTED is enough: after this statement nobody else writes to the organization, and every later
        // statement sees what was committed before.
        let change = tx.next_change(organization, now).await?;
        if let Some(change) = change.as_ref().filter(|change| change.number <= known) {
            self.shared.watermarks.go_back(organization, change.number - 1);
        }
        Ok(change.map(|change| self.write_tx(tx, organization, change)))
    }

    /// Begins a write of what happens while an organization's services run.
    pub async fn write_run(&self, organization: &OrganizationId) -> Result<RunTx, StoreError> {
        Ok(RunTx {
            tx: self.begin_write().await?,
            organization: organization.clone(),
            postponed: self.postponed(),
        })
    }

    /// Waits for a turn among all who may have a connection.
    async fn turn(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        let turn = Arc::clone(&self.shared.turns).acquire_owned();
        let turn = tokio::time::timeout(ACQUIRE_TIMEOUT, turn).await;
        let turn = turn.map_err(|_| StoreError::no_connection(sqlx::Error::PoolTimedOut))?;
        turn.map_err(|_| StoreError::no_connection(sqlx::Error::PoolClosed))
    }

    /// Begins a write that no organization orders: to the installation, or of what happens while services run.
    async fn begin_write(&self) -> Result<Tx, StoreError> {
        if self.postponed().is_some_and(|postponed| !postponed.is_empty()) {
            // It would wait for itself.
            let text = "a call that may be repeated began a second write";
            return Err(StoreError::Refused(Arc::new(sqlx::Error::Protocol(text.into()))));
        }
        match &self.shared.pools {
            // The writer has begun the transaction already.
            Pools::Sqlite { writer, .. } => {
                let turn = require_writer(writer.as_ref())?.turn(ACQUIRE_TIMEOUT).await?;
                if let Some(outcome) = turn.seen() {
                    self.dependencies.note(outcome);
                }
                let mut tx = Tx::new(Engine::SqliteWriter(turn));
                tx.require_mark().await?;
                Ok(tx)
            }
            Pools::Postgres(pool) => {
                self.dependencies.note_read();
                let turn = self.turn().await?;
                let mut tx = Tx::new(Engine::Postgres(acquire(pool).await?))
                    .begin(BEGIN_WRITE)
                    .await?;
                tx.turn = Some(turn);
                Ok(tx)
            }
        }
    }

    /// Begins a write to what belongs to the installation as a whole.
    pub async fn write_installation(&self) -> Result<InstallationTx, StoreError> {
        self.begin_write().await.map(InstallationTx)
    }

    /// Goes on with a write to the installation as one to an organization that it has created.
    ///
    /// Returns `None` if there is no such organization.
    pub async fn write_created(
        &self,
        tx: InstallationTx,
        organization: &OrganizationId,
        now: Timestamp,
    ) -> Result<Option<WriteTx>, StoreError> {
        let InstallationTx(mut tx) = tx;
        let change = tx.next_change(organization, now).await?;
        Ok(change.map(|change| self.write_tx(tx, organization, change)))
    }

    fn write_tx(&self, tx: Tx, organization: &OrganizationId, change: Change) -> WriteTx {
        WriteTx {
            tx,
            organization: organization.clone(),
            change,
            watermarks: Arc::clone(&self.shared.watermarks),
            postponed: self.postponed(),
        }
    }

    /// Returns a handle for a call that may be repeated.
    ///
    /// What is committed through it waits until it is taken by [`Store::take_write`]; it can be one write.
    #[must_use]
    pub fn for_named_call(&self, name: CallName) -> Self {
        let mut handle = self.clone();
        handle.call = Some(Arc::new(NamedCall {
            name,
            postponed: Postponed::default(),
        }));
        handle
    }

    /// Returns the name of the call that uses this handle, if it may be repeated.
    pub fn call_name(&self) -> Option<&CallName> {
        self.call.as_ref().map(|call| &call.name)
    }

    fn postponed(&self) -> Option<Postponed> {
        self.call.as_ref().map(|call| call.postponed.clone())
    }

    /// Takes the write of the call, which waits for the call's answer.
    ///
    /// Returns `None` if the call has written nothing. Dropping the write undoes it.
    pub fn take_write(&self) -> Option<PostponedTx> {
        self.call.as_ref()?.postponed.take()
    }

    /// Returns a handle for one call: [`Store::await_durability`] of it speaks of what was seen through it alone.
    #[must_use]
    pub fn begin_request(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            dependencies: ReadDependencies::default(),
            call: None,
        }
    }

    /// Waits until everything is durable that the transactions of this handle saw, and until the watermarks tell of it.
    ///
    /// They must have ended.
    ///
    /// Whoever answers from what they read asks this first.
    ///
    /// # Errors
    /// What was seen has not become durable: the answer may be wrong, and the call should be made again.
    pub async fn await_durability(&self) -> Result<(), StoreError> {
        self.dependencies.wait(&self.shared.watermarks).await
    }

    /// Finds out whether the store would take a write now; never waits for long.
    ///
    /// # Errors
    /// Says why it would not.
    pub async fn readiness(&self) -> Result<(), NotReady> {
        self.shared.last_look.readiness(&self.shared.pools).await
    }

    /// Closes every connection; the embedded database is left tidy, with nothing in its log, unless somebody else wrote
    /// to its files.
    pub async fn close(&self) {
        match &self.shared.pools {
            Pools::Sqlite {
                writer,
                readers,
                place,
                ..
            } => {
                if place.check().is_ok() {
                    readers.close().await;
                } else {
                    // The last connection that closes copies its log into the database, and removes the log that has its
                    // name. Neither may be its own any more, so a reader stays open until the process ends.
                    std::mem::forget(readers.clone());
                }
                if let Some(writer) = writer {
                    writer.close().await;
                }
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }

    /// Returns how many writes shared how many commits since the store was opened; nothing on PostgreSQL, which shares
    /// them out of sight.
    pub fn shared_commits(&self) -> Option<SharedCommits> {
        match &self.shared.pools {
            Pools::Sqlite { writer, .. } => writer.as_ref().map(Writer::shared_commits),
            Pools::Postgres(_) => None,
        }
    }

    /// Sets how long writers of SQLite may join a shared commit; for tests, which must not depend on time.
    #[doc(hidden)]
    pub fn set_group_time(&self, time: Duration) {
        if let Pools::Sqlite {
            writer: Some(writer), ..
        } = &self.shared.pools
        {
            writer.set_group_time(time);
        }
    }

    /// Limits how many pages SQLite's file may have, at least as many as it has now; for tests of a full disk.
    #[doc(hidden)]
    pub async fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        match &self.shared.pools {
            Pools::Sqlite { writer, .. } => require_writer(writer.as_ref())?.limit_pages(pages).await,
            Pools::Postgres(_) => Ok(()),
        }
    }

    /// Prepares a statement without running it; for the test that prepares all of them.
    #[doc(hidden)]
    pub async fn prepare(&self, sql: &'static str) -> Result<(), sqlx::Error> {
        use sqlx::{Executor as _, SqlSafeStr as _};
        match &self.shared.pools {
            Pools::Sqlite { readers, .. } => readers.prepare(sql.into_sql_str()).await.map(drop),
            Pools::Postgres(pool) => pool.prepare(sql.into_sql_str()).await.map(drop),
        }
    }
}

/// Waits for a connection that is open already: one that was given back comes in a moment.
async fn idle_reader(readers: &SqlitePool) -> PoolConnection<Sqlite> {
    loop {
        if let Some(connection) = readers.try_acquire() {
            return connection;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
