//! Opening a store.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::Semaphore;

use crate::durability::ReadDependencies;
use crate::folder::{create_private_file, create_private_folder, lock_folder};
use crate::idempotency::NamedCall;
use crate::migrate::{Dialect, SchemaState, is_exactly_known, migrate, schema_state};
use crate::place::{Mark, Place};
use crate::readiness::LastLook;
use crate::rows::MOST_BYTES;
use crate::watermarks::{Listener, Watermarks};
use crate::writer::{SharedCommits, Writer};
use crate::{StoreError, StoreUrl};

/// How long to wait for a connection before the database counts as unavailable.
pub(crate) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// How many of the connections are kept free for what brings memory up to date, and looks whether the database is
/// there: however many read, a write is known, and nobody who waits for a turn takes a database that is there for away.
const KEPT_FREE: u32 = 2;

/// How many readers SQLite serves at once.
const SQLITE_READERS: u32 = 8;

/// How many rows the thread of a SQLite connection reads ahead of whoever takes them: each may be large, and nobody may
/// take it.
const ROWS_AHEAD: usize = 2;

/// How much of the database each connection to SQLite keeps in memory at most; negative means KiB.
const SQLITE_CACHE: &str = "-16384";

/// How many statements each connection to SQLite keeps prepared: all that Forge has.
const SQLITE_STATEMENTS: usize = 400;

/// How many connections a node opens to PostgreSQL at most.
const POSTGRES_CONNECTIONS: u32 = 20;

/// What every session of PostgreSQL is told: nobody waits, runs or idles in a transaction for ever.
const POSTGRES_SESSION: &str = "SET lock_timeout = '10s'; SET statement_timeout = '30s';
    SET idle_in_transaction_session_timeout = '30s'; SET client_min_messages = 'error'";

/// Every session finds the tables of the schema that the store was opened in, and no others, whatever the role or the
/// database is set to since.
///
/// Where there is none, nothing is found either way.
const POSTGRES_SCHEMA: &str = "SELECT set_config('search_path', COALESCE(quote_ident($1), ''), FALSE)";

/// What a session is told that may only look.
const POSTGRES_LOOK_ONLY: &str = "SET default_transaction_read_only = on";

/// What to do with a store that is missing, or not of this version's schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// Make it.
    CreateIfMissing,
    /// Refuse.
    MustExist,
    /// Refuse, and only look: nothing is locked or brought up to date, a server may be running, and every write fails.
    ReadOnly,
}

/// A store could not be opened; each text is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is of no engine that Forge knows.
    #[error("the database URL must begin with `postgres://` or `sqlite://`, not `{0}`")]
    UnknownScheme(String),
    /// There is no store yet.
    #[error("there is no Forge store in {0}; create one with `forge init`")]
    Missing(StoreUrl),
    /// Another process has the SQLite store open.
    #[error("{0} is in use by another Forge process; stop it first, or use PostgreSQL to run several")]
    InUse(PathBuf),
    /// A later version wrote the schema.
    #[error(
        "{url} was written by a newer Forge (schema {found}, this one knows {known}); upgrade this binary"
    )]
    NewerSchema {
        /// Where the store is.
        url: StoreUrl,
        /// The newest migration in it.
        found: i64,
        /// The newest migration that this version knows.
        known: i64,
    },
    /// The schema is not the one that this version knows, and nothing may be changed.
    #[error("{0} has another schema than this version of Forge; look with the version that its server runs")]
    OtherSchema(StoreUrl),
    /// The folder or a file in it cannot be used.
    #[error("cannot use {path}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database cannot be reached.
    #[error("cannot connect to {url}")]
    Connect {
        /// Where the store is.
        url: StoreUrl,
        /// Why.
        source: sqlx::Error,
    },
    /// The schema could not be brought up to date.
    #[error("cannot bring the schema of {url} up to date")]
    Migrate {
        /// Where the store is.
        url: StoreUrl,
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
}

/// An open store.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pools: Pools,
    /// How far each organization has come, as far as this process knows.
    pub(crate) watermarks: Arc<Watermarks>,
    pub(crate) dependencies: ReadDependencies,
    /// The connections that all share; [`KEPT_FREE`] more are there for what everybody waits for.
    pub(crate) turns: Arc<Semaphore>,
    pub(crate) last_look: LastLook,
    /// How many bytes of rows are read at once, see [`MOST_BYTES`].
    pub(crate) room: Arc<AtomicUsize>,
    /// The call that uses this handle, if it may be repeated.
    pub(crate) call: Option<Arc<NamedCall>>,
}

#[derive(Debug, Clone)]
pub(crate) enum Pools {
    Sqlite {
        /// Nothing where the store is only looked at.
        writer: Option<Writer>,
        readers: SqlitePool,
        /// The files that are open.
        place: Place,
        /// Locked for as long as the store is open for writing, so that no second process writes to the folder.
        _lock: Option<Arc<File>>,
    },
    Postgres(PgPool),
}

impl Pools {
    /// Returns how many connections are there for all, without those that are kept free.
    fn shared_connections(&self) -> usize {
        let connections = match self {
            Self::Sqlite { .. } => SQLITE_READERS,
            Self::Postgres(_) => POSTGRES_CONNECTIONS,
        };
        (connections - KEPT_FREE) as usize
    }
}

/// Checks the schema behind a connection to either engine and applies what is missing of it.
macro_rules! bring_up_to_date {
    ($connection:expr, $dialect:expr, $url:expr, $mode:expr) => {{
        let connect = |source| OpenError::Connect {
            url: $url.clone(),
            source,
        };
        let applied: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
            .fetch_all(&mut *$connection)
            .await
            .or_else(missing_table_means_none)
            .map_err(connect)?;
        check_schema($url, &applied, $mode)?;
        let migrated = migrate(&mut *$connection, $dialect).await;
        migrated.map_err(|source| OpenError::Migrate {
            url: $url.clone(),
            source,
        })?;
    }};
}

/// Refuses a schema that is not exactly the one that this version knows, without changing anything.
macro_rules! require_known_schema {
    ($pool:expr, $dialect:expr, $url:expr) => {{
        let applied: Result<Vec<(i64, Vec<u8>)>, sqlx::Error> =
            sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version")
                .fetch_all($pool)
                .await;
        let applied = applied.or_else(missing_table_means_none);
        let applied = applied.map_err(|source| OpenError::Connect {
            url: $url.clone(),
            source,
        })?;
        let versions: Vec<i64> = applied.iter().map(|(version, _)| *version).collect();
        check_schema($url, &versions, OpenMode::ReadOnly)?;
        if !is_exactly_known(&applied, $dialect) {
            return Err(OpenError::OtherSchema($url.clone()));
        }
    }};
}

impl Store {
    fn new(pools: Pools) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(pools.shared_connections())),
            pools,
            watermarks: Arc::default(),
            dependencies: ReadDependencies::default(),
            last_look: LastLook::default(),
            room: Arc::new(AtomicUsize::new(MOST_BYTES)),
            call: None,
        }
    }

    /// Makes room for fewer bytes of rows than [`MOST_BYTES`], so that small rows make pages end, too.
    ///
    /// For tests.
    pub fn limit_room(&self, bytes: usize) {
        self.room.store(bytes, Ordering::Relaxed);
    }

    /// Returns how many may read at once, whoever they are; what brings memory up to date has connections of its own.
    pub fn readers(&self) -> usize {
        self.pools.shared_connections()
    }

    /// Returns how far each organization has come, as far as this process knows.
    pub fn watermarks(&self) -> &Watermarks {
        &self.watermarks
    }

    /// Returns `true` if other processes may write to the same database.
    pub fn is_shared(&self) -> bool {
        matches!(self.pools, Pools::Postgres(_))
    }

    /// Begins to hear of the changes that other servers make, or `None` if there can be no others.
    pub async fn listen(&self) -> Result<Option<Listener>, StoreError> {
        match &self.pools {
            Pools::Sqlite { .. } => Ok(None),
            Pools::Postgres(pool) => Listener::start(pool, Arc::clone(&self.watermarks))
                .await
                .map(Some),
        }
    }

    /// Opens a store and, unless it is only looked at, brings its schema up to date.
    pub async fn open(url: &StoreUrl, mode: OpenMode) -> Result<Self, OpenError> {
        match url {
            StoreUrl::Folder(folder) if mode == OpenMode::ReadOnly => Self::look_at_sqlite(url, folder).await,
            StoreUrl::Folder(folder) => Self::open_sqlite(url, folder, mode).await,
            StoreUrl::Postgres(text) => Self::open_postgres(url, text, mode).await,
        }
    }

    /// Opens a folder beside the server that may hold it: readers of a write-ahead log and its writer do not wait for
    /// one another.
    async fn look_at_sqlite(url: &StoreUrl, folder: &Path) -> Result<Self, OpenError> {
        let file = folder.join("forge.db");
        if !file.exists() {
            return Err(OpenError::Missing(url.clone()));
        }
        let options = SqliteConnectOptions::new()
            .filename(&file)
            .read_only(true)
            .row_buffer_size(ROWS_AHEAD)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging();
        let connect = |source| OpenError::Connect {
            url: url.clone(),
            source,
        };
        let readers = SqlitePoolOptions::new()
            .max_connections(SQLITE_READERS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_release(|connection, _| {
                Box::pin(async move { Ok(end_sqlite_transaction(connection).await) })
            })
            .connect_with(options)
            .await
            .map_err(connect)?;
        require_known_schema!(&readers, Dialect::Sqlite, url);
        Ok(Self::new(Pools::Sqlite {
            writer: None,
            readers,
            place: Place::default(),
            _lock: None,
        }))
    }

    async fn open_sqlite(url: &StoreUrl, folder: &Path, mode: OpenMode) -> Result<Self, OpenError> {
        let file = folder.join("forge.db");
        if mode == OpenMode::MustExist && !file.exists() {
            return Err(OpenError::Missing(url.clone()));
        }
        create_private_folder(folder)?;
        let lock = lock_folder(folder)?;
        create_private_file(&file)?;
        let options = SqliteConnectOptions::new()
            .filename(&file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An answered write is durable: the log is synced at every commit, on macOS past the drive's cache too.
            .synchronous(SqliteSynchronous::Full)
            .pragma("fullfsync", "1")
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            // What is undone by savepoints is kept in memory: it never outlives the transaction.
            .pragma("temp_store", "MEMORY")
            .pragma("cache_size", SQLITE_CACHE)
            .statement_cache_capacity(SQLITE_STATEMENTS)
            .row_buffer_size(ROWS_AHEAD)
            .disable_statement_logging();
        let connect = |source| OpenError::Connect {
            url: url.clone(),
            source,
        };
        let mut writer = options.connect().await.map_err(connect)?;
        bring_up_to_date!(&mut writer, Dialect::Sqlite, url, mode);
        let mark = Mark::put(&mut writer).await.map_err(connect)?;
        // A log that a crash left is emptied: where its index was made anew, it is unknown what was copied already.
        let emptied = sqlx::raw_sql("PRAGMA wal_checkpoint").execute(&mut writer).await;
        emptied.map_err(connect)?;
        let place = Place::of(folder, mark)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(SQLITE_READERS)
            // A file cannot hang up between two calls, and its connections do not age. What is open needs no descriptor
            // when there are none left, and goes on reading a file that was removed.
            .test_before_acquire(false)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_release(|connection, _| {
                Box::pin(async move { Ok(end_sqlite_transaction(connection).await) })
            })
            .connect_with(options.clone().create_if_missing(false).pragma("query_only", "1"))
            .await
            .map_err(connect)?;
        Ok(Self::new(Pools::Sqlite {
            writer: Some(Writer::start(writer, options, place.clone())),
            readers,
            place,
            _lock: Some(lock.into()),
        }))
    }

    async fn open_postgres(url: &StoreUrl, text: &str, mode: OpenMode) -> Result<Self, OpenError> {
        let connect = |source| OpenError::Connect {
            url: url.clone(),
            source,
        };
        let options = PgConnectOptions::from_str(text)
            .map_err(connect)?
            .disable_statement_logging();
        // A pool goes on trying until it may not wait any longer; a wrong address should be told at once.
        let mut probe = options.connect().await.map_err(connect)?;
        let schema: Option<String> = sqlx::query_scalar("SELECT current_schema()::TEXT")
            .fetch_one(&mut probe)
            .await
            .map_err(connect)?;
        probe.close().await.map_err(connect)?;
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_connect(move |connection, _| {
                let schema = schema.clone();
                Box::pin(async move {
                    sqlx::query(POSTGRES_SCHEMA)
                        .bind(schema)
                        .execute(&mut *connection)
                        .await?;
                    sqlx::raw_sql(POSTGRES_SESSION).execute(&mut *connection).await?;
                    if mode == OpenMode::ReadOnly {
                        sqlx::raw_sql(POSTGRES_LOOK_ONLY).execute(connection).await?;
                    }
                    Ok(())
                })
            })
            // Without a transaction, this is a warning that nobody reads.
            .after_release(|connection, _| {
                Box::pin(async move {
                    let rolled_back = sqlx::raw_sql("ROLLBACK").execute(connection);
                    let ended = tokio::time::timeout(ACQUIRE_TIMEOUT, rolled_back).await;
                    Ok(ended.is_ok_and(|ended| ended.is_ok()))
                })
            })
            .connect_with(options.application_name("forge"))
            .await
            .map_err(connect)?;
        if mode == OpenMode::ReadOnly {
            require_known_schema!(&pool, Dialect::Postgres, url);
        } else {
            let mut connection = pool.acquire().await.map_err(connect)?;
            bring_up_to_date!(&mut *connection, Dialect::Postgres, url, mode);
        }
        Ok(Self::new(Pools::Postgres(pool)))
    }

    /// Returns `true` if the database is SQLite, which admits one server.
    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self.pools, Pools::Sqlite { .. })
    }

    /// Closes every connection; the embedded database is left tidy, with nothing in its log, unless somebody else wrote
    /// to its files.
    pub async fn close(&self) {
        match &self.pools {
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
        match &self.pools {
            Pools::Sqlite { writer, .. } => writer.as_ref().map(Writer::shared_commits),
            Pools::Postgres(_) => None,
        }
    }

    /// Sets how long writers of SQLite may join a shared commit; for tests, which must not depend on time.
    #[doc(hidden)]
    pub fn set_group_time(&self, time: Duration) {
        if let Pools::Sqlite {
            writer: Some(writer), ..
        } = &self.pools
        {
            writer.set_group_time(time);
        }
    }

    /// Limits how many pages SQLite's file may have, at least as many as it has now; for tests of a full disk.
    #[doc(hidden)]
    pub async fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => require_writer(writer.as_ref())?.limit_pages(pages).await,
            Pools::Postgres(_) => Ok(()),
        }
    }

    /// Prepares a statement without running it; for the test that prepares all of them.
    #[doc(hidden)]
    pub async fn prepare(&self, sql: &'static str) -> Result<(), sqlx::Error> {
        use sqlx::{Executor as _, SqlSafeStr as _};
        match &self.pools {
            Pools::Sqlite { readers, .. } => readers.prepare(sql.into_sql_str()).await.map(drop),
            Pools::Postgres(pool) => pool.prepare(sql.into_sql_str()).await.map(drop),
        }
    }
}

/// Ends the transaction that a connection may still be in, and tells whether the connection can be used again.
pub(crate) async fn end_sqlite_transaction(connection: &mut SqliteConnection) -> bool {
    match sqlx::raw_sql("ROLLBACK").execute(connection).await {
        Ok(_) => true,
        // Most often there is none to end. Any other error means that the connection is not to be trusted.
        Err(error) => error
            .as_database_error()
            .is_some_and(|inner| inner.message().contains("no transaction is active")),
    }
}

pub(crate) fn require_writer(writer: Option<&Writer>) -> Result<&Writer, StoreError> {
    writer.ok_or_else(|| {
        let text = "the store was opened only to look at it";
        StoreError::Refused(Arc::new(sqlx::Error::Protocol(text.into())))
    })
}

fn missing_table_means_none<T>(error: sqlx::Error) -> Result<Vec<T>, sqlx::Error> {
    let is_missing = error.as_database_error().is_some_and(|inner| {
        inner.code().as_deref() == Some("42P01") || inner.message().contains("no such table")
    });
    if is_missing { Ok(Vec::new()) } else { Err(error) }
}

fn check_schema(url: &StoreUrl, applied: &[i64], mode: OpenMode) -> Result<(), OpenError> {
    match schema_state(applied) {
        SchemaState::Newer(found) => {
            let known = crate::MIGRATIONS.last().map_or(0, |migration| migration.0);
            Err(OpenError::NewerSchema {
                url: url.clone(),
                found,
                known,
            })
        }
        SchemaState::Missing if mode != OpenMode::CreateIfMissing => Err(OpenError::Missing(url.clone())),
        _ => Ok(()),
    }
}
