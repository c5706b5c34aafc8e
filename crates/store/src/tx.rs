//! Transactions, whichever engine they run on.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use forge_domain::{OrganizationId, Timestamp};
use sqlx::postgres::{PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqliteRow};
use tokio::sync::OwnedSemaphorePermit;

use crate::direct;
use crate::engine::{Connection, Engine, answer, bind, decoded, take};
use crate::error::StoreError;
use crate::place::Mark;
use crate::row::{Row, Value};
use crate::rows::{MOST_BYTES, Rows};
use crate::statement::Statement;
use crate::watermarks::{Announcement, Watermarks};

/// A transaction.
///
/// Dropping it rolls it back.
///
/// It is begun and ended by plain statements instead of the driver's own bookkeeping. The driver counts how deep it is
/// in transactions; where the database ended one by itself (a full disk) or a request was abandoned between sending and
/// counting, the count is wrong for good. The pools instead clean every connection that comes back, see `open`.
#[derive(Debug)]
pub struct Tx {
    engine: Engine,
    /// Whether a statement failed or was abandoned half-way: then nothing goes on, and nothing is committed.
    is_broken: bool,
    /// How many bytes of rows are read at once.
    pub(crate) room: usize,
    /// Its turn among all who may have a connection, or `None` if it has one of those that are kept free.
    pub(crate) turn: Option<OwnedSemaphorePermit>,
}

impl Tx {
    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            engine,
            is_broken: false,
            room: MOST_BYTES,
            turn: None,
        }
    }

    /// Returns how many bytes of rows are read at once, and how many a page has.
    pub fn room(&self) -> usize {
        self.room
    }

    /// Runs a statement and returns how many rows it touched.
    pub(crate) async fn execute(
        &mut self,
        statement: &Statement,
        args: Vec<Value>,
    ) -> Result<u64, StoreError> {
        let touched = match self.start()? {
            Connection::Sqlite(connection) => {
                let query = bind!(sqlx::query::<Sqlite>(statement.sql), args);
                query.execute(connection).await.map(|done| done.rows_affected())
            }
            Connection::Direct(connection) => direct::execute(connection, statement.sql, &args),
            Connection::Postgres(connection) => {
                let query = bind!(sqlx::query::<Postgres>(statement.sql), args);
                answer(query.execute(connection))
                    .await
                    .map(|done| done.rows_affected())
            }
        };
        let touched = touched.map_err(|error| self.engine.failed(statement, error))?;
        self.is_broken = false;
        Ok(touched)
    }

    /// Runs a query that gives at most one row.
    pub(crate) async fn optional<T>(
        &mut self,
        statement: &Statement,
        args: Vec<Value>,
        decode: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.all(statement, args, decode).await?.into_iter().next())
    }

    /// Runs a query and decodes every row.
    pub(crate) async fn all<T>(
        &mut self,
        statement: &Statement,
        args: Vec<Value>,
        decode: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.rows(statement, args, decode, usize::MAX).await?;
        Ok(rows.into_rows())
    }

    /// Runs the query of a list and decodes its rows while there is room for them: what follows is read by a query that
    /// begins after the last one.
    pub(crate) async fn some<T>(
        &mut self,
        statement: &Statement,
        args: Vec<Value>,
        decode: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Rows<T>, StoreError> {
        let room = self.room;
        self.rows(statement, args, decode, room).await
    }

    /// Runs a query and decodes its rows one by one, as many as there is room for.
    pub(crate) async fn rows<T>(
        &mut self,
        statement: &Statement,
        args: Vec<Value>,
        decode: impl Fn(&Row<'_>) -> Result<T, StoreError>,
        room: usize,
    ) -> Result<Rows<T>, StoreError> {
        let read = match self.start()? {
            Connection::Sqlite(connection) => {
                let query = bind!(sqlx::query::<Sqlite>(statement.sql), args);
                let decode = |row: SqliteRow| decoded(&decode, &Row::from(&row));
                take(query.fetch(connection), decode, room).await
            }
            Connection::Direct(connection) => {
                let decode = |row: &Row<'_>| decoded(&decode, row);
                direct::query(connection, statement.sql, &args, decode, room)
            }
            Connection::Postgres(connection) => {
                let query = bind!(sqlx::query::<Postgres>(statement.sql), args);
                let decode = |row: PgRow| decoded(&decode, &Row::from(&row));
                answer(take(query.fetch(connection), decode, room)).await
            }
        };
        let read = read.map_err(|error| self.engine.failed(statement, error))?;
        self.is_broken = false;
        read
    }

    pub(crate) async fn begin(mut self, how: &'static str) -> Result<Self, StoreError> {
        self.run(how).await?;
        self.require_mark().await?;
        Ok(self)
    }

    /// Finds out whether the transaction, which has begun, is one on the database that was opened.
    pub(crate) async fn require_mark(&mut self) -> Result<(), StoreError> {
        let place = match &self.engine {
            Engine::Sqlite(_, place) => place.clone(),
            Engine::SqliteWriter(turn) => turn.place().clone(),
            Engine::Postgres(_) => return Ok(()),
        };
        let found = match self.start()? {
            Connection::Sqlite(connection) => Mark::of(connection).await,
            Connection::Direct(connection) => Mark::of_writer(connection),
            Connection::Postgres(_) => return Ok(()),
        };
        let marked = found.and_then(|found| place.require_mark(found));
        marked.inspect_err(|error| place.note_error(error))?;
        self.is_broken = false;
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        self.commit_and_announce(None).await
    }

    /// Makes the transaction durable and announces it before anybody is answered: whoever reads what this server
    /// remembers has to notice that it is old.
    async fn commit_and_announce(mut self, announcement: Option<Announcement>) -> Result<(), StoreError> {
        self.refuse_broken()?;
        if let Engine::SqliteWriter(turn) = self.engine {
            return turn.commit(announcement).await;
        }
        let Some(announcement) = announcement else {
            return self.end().await;
        };
        // A commit that has begun is seen through and announced, also if nobody waits any more.
        let under_way = announcement.begin();
        let committing = tokio::spawn(async move {
            let ended = self.end().await;
            if ended.is_ok() {
                announcement.make();
            }
            drop(under_way);
            ended
        });
        committing
            .await
            .unwrap_or_else(|_| Err(StoreError::OutcomeUnknown(Arc::new(sqlx::Error::WorkerCrashed))))
    }

    async fn end(&mut self) -> Result<(), StoreError> {
        self.run("COMMIT").await.map_err(|error| match error {
            // Whether the commit took place cannot be known without an answer.
            StoreError::Unavailable(cause) => StoreError::OutcomeUnknown(cause),
            other => other,
        })
    }

    /// Runs a statement without parameters that begins or ends the transaction.
    async fn run(&mut self, sql: &'static str) -> Result<(), StoreError> {
        match self.start()? {
            Connection::Sqlite(connection) => sqlx::raw_sql(sql).execute(connection).await.map(drop)?,
            Connection::Direct(connection) => direct::execute(connection, sql, &[]).map(drop)?,
            Connection::Postgres(connection) => {
                answer(sqlx::raw_sql(sql).execute(connection)).await.map(drop)?;
            }
        }
        self.is_broken = false;
        Ok(())
    }

    /// Returns the connection for one statement.
    ///
    /// Until that has succeeded, the transaction counts as broken: the statement may fail, or be abandoned.
    fn start(&mut self) -> Result<Connection<'_>, StoreError> {
        self.refuse_broken()?;
        self.is_broken = true;
        Ok(self.engine.connection())
    }

    fn refuse_broken(&self) -> Result<(), StoreError> {
        if !self.is_broken {
            return Ok(());
        }
        let text = "a transaction was used after one of its statements had failed";
        Err(StoreError::Refused(Arc::new(sqlx::Error::Protocol(text.into()))))
    }
}

/// A read transaction: everything read through it is of one moment.
#[derive(Debug)]
pub struct ReadTx(pub(crate) Tx);

/// The place of a write among an organization's writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// 1, 2, 3 … without gaps.
    pub number: i64,
    /// When; never before the change before it.
    pub at: Timestamp,
    /// The last change before this one that touched who may do what.
    pub access_changed: i64,
}

/// A write transaction that holds an organization's lock, and with it the organization's next change number.
///
/// Until it ends, no other configuration write of the organization runs, on any node.
#[derive(Debug)]
pub struct WriteTx {
    pub(crate) tx: Tx,
    pub(crate) organization: OrganizationId,
    pub(crate) change: Change,
    pub(crate) watermarks: Arc<Watermarks>,
    pub(crate) postponed: Option<Postponed>,
}

/// Where the write of a call waits until the call's answer is known: both become durable together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Postponed(Arc<Mutex<Option<PostponedTx>>>);

/// The write of a call, which is made durable together with the call's answer.
#[derive(Debug)]
pub enum PostponedTx {
    /// A change of an organization.
    Change(WriteTx),
    /// What happened while services ran.
    Run(RunTx),
}

impl Postponed {
    fn put(&self, write: PostponedTx) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(write);
    }

    pub(crate) fn take(&self) -> Option<PostponedTx> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

impl PostponedTx {
    /// Makes the write durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Change(write) => write.commit().await.map(drop),
            Self::Run(write) => write.commit().await,
        }
    }
}

impl Deref for PostponedTx {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        match self {
            Self::Change(write) => &write.tx,
            Self::Run(write) => &write.tx,
        }
    }
}

impl DerefMut for PostponedTx {
    fn deref_mut(&mut self) -> &mut Tx {
        match self {
            Self::Change(write) => &mut write.tx,
            Self::Run(write) => &mut write.tx,
        }
    }
}

/// A write of what happens while services run: of conversations and simulations.
///
/// It takes neither the organization's lock nor a change number: it changes nothing of the configuration, and must not
/// wait for those who do. So whatever it decides, it decides by a condition in the statement that writes.
#[derive(Debug)]
pub struct RunTx {
    pub(crate) tx: Tx,
    pub(crate) organization: OrganizationId,
    pub(crate) postponed: Option<Postponed>,
}

impl RunTx {
    /// Returns the organization that the transaction writes to.
    pub fn organization(&self) -> &OrganizationId {
        &self.organization
    }

    /// Makes the write durable; that of a call which may be repeated waits for the call's answer.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        if let Some(postponed) = self.postponed.take() {
            postponed.put(PostponedTx::Run(self));
            return Ok(());
        }
        self.tx.commit().await
    }
}

/// A write to what belongs to the installation as a whole: its settings, and what servers that are gone left behind.
#[derive(Debug)]
pub struct InstallationTx(pub(crate) Tx);

impl InstallationTx {
    /// Makes the write durable.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.0.commit().await
    }
}

impl WriteTx {
    /// Returns the organization that the transaction writes to.
    pub fn organization(&self) -> &OrganizationId {
        &self.organization
    }

    /// Returns the change number that this write takes.
    pub fn change_number(&self) -> i64 {
        self.change.number
    }

    /// Returns the time that history gives the change: never before that of the organization's previous change, so that
    /// it lies ahead for as long as a clock was that has been set right since.
    ///
    /// Rules and deadlines go by the clock.
    pub fn changed_at(&self) -> Timestamp {
        self.change.at
    }

    /// Returns the number of the last change before this one that touched who may do what.
    pub fn access_changed(&self) -> i64 {
        self.change.access_changed
    }

    /// Makes the write durable and returns its change number; that of a call which may be repeated waits for the
    /// call's answer.
    pub async fn commit(mut self) -> Result<i64, StoreError> {
        let change_number = self.change.number;
        if let Some(postponed) = self.postponed.take() {
            postponed.put(PostponedTx::Change(self));
            return Ok(change_number);
        }
        let announcement = Announcement {
            watermarks: self.watermarks,
            organization: self.organization,
            change_number,
        };
        self.tx.commit_and_announce(Some(announcement)).await?;
        Ok(change_number)
    }
}

/// Lets a transaction be read like any other.
macro_rules! is_tx {
    ($($kind:ident . $field:tt),*) => {$(
        impl Deref for $kind {
            type Target = Tx;

            fn deref(&self) -> &Tx {
                &self.$field
            }
        }

        impl DerefMut for $kind {
            fn deref_mut(&mut self) -> &mut Tx {
                &mut self.$field
            }
        }
    )*};
}
is_tx!(ReadTx.0, WriteTx.tx, RunTx.tx, InstallationTx.0);
