//! Beginning transactions.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use forge_domain::{OrganizationId, Timestamp};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPool, Postgres};
use sqlx::sqlite::{Sqlite, SqlitePool};
use tokio::sync::OwnedSemaphorePermit;

use crate::open::{ACQUIRE_TIMEOUT, Pools, require_writer};
use crate::place::Loss;
use crate::tx::{Engine, ReadTx, RunTx, Tx, WriteTx};
use crate::{Store, StoreError};

/// How often a write is begun before it counts as failed that others were in its way.
const ATTEMPTS: usize = 3;

/// How long to wait for one of the readers that are open where no other may be opened.
const IDLE_READER_TIMEOUT: Duration = Duration::from_secs(1);

/// Reads of PostgreSQL see one moment.
const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Writes of PostgreSQL: once a write has the organization's lock, every later statement has to see what was committed
/// before.
///
/// Whatever the role or the database is set to would hold otherwise. Not `READ WRITE`: a database that was made
/// read-only is to stay so.
pub(crate) const WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

impl Store {
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
        let (engine, how) = match &self.pools {
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
            Pools::Postgres(pool) => (Engine::Postgres(acquire(pool).await?), READ),
        };
        let mut tx = Tx::new(engine).begin(how).await?;
        tx.room = self.room.load(Ordering::Relaxed);
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
        let known = *self.watermarks.of(organization).borrow();
        let mut tx = self.begin_write().await?;
        // READ COMMITTED is enough: after this statement nobody else writes to the organization, and every later
        // statement sees what was committed before.
        let change = tx.next_change(organization, now).await?;
        if let Some(change) = change.as_ref().filter(|change| change.number <= known) {
            self.watermarks.go_back(organization, change.number - 1);
        }
        Ok(change.map(|change| WriteTx {
            tx,
            organization: organization.clone(),
            change,
            watermarks: Arc::clone(&self.watermarks),
            postponed: self.postponed(),
        }))
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
        let turn = Arc::clone(&self.turns).acquire_owned();
        let turn = tokio::time::timeout(ACQUIRE_TIMEOUT, turn).await;
        let turn = turn.map_err(|_| StoreError::no_connection(sqlx::Error::PoolTimedOut))?;
        turn.map_err(|_| StoreError::no_connection(sqlx::Error::PoolClosed))
    }

    /// Begins a write that no organization orders: the creation of one, or what happens while services run.
    pub(crate) async fn begin_write(&self) -> Result<Tx, StoreError> {
        if self.postponed().is_some_and(|postponed| !postponed.is_empty()) {
            // It would wait for itself.
            let text = "a call that may be repeated began a second write";
            return Err(StoreError::Refused(Arc::new(sqlx::Error::Protocol(text.into()))));
        }
        match &self.pools {
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
                    .begin(WRITE)
                    .await?;
                tx.turn = Some(turn);
                Ok(tx)
            }
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

/// Takes a connection of the pool.
pub(crate) async fn acquire(pool: &PgPool) -> Result<PoolConnection<Postgres>, StoreError> {
    pool.acquire().await.map_err(StoreError::no_connection)
}
