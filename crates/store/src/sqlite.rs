//! Connections to SQLite.

use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};

use crate::pool_limits::{ACQUIRE_TIMEOUT, SQLITE_READERS};

/// How many rows the thread of a SQLite connection reads ahead of whoever takes them: each may be large, and nobody may
/// take it.
const ROWS_AHEAD: usize = 2;

/// How much of the database each connection to SQLite keeps in memory at most; negative means KiB.
pub(crate) const SQLITE_CACHE: &str = "-16384";

/// How many statements each connection to SQLite keeps prepared: all that Forge has.
pub(crate) const SQLITE_STATEMENTS: usize = 400;

/// How long whoever finds the database locked by another process waits for it.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Returns the options of connections to a database that is only looked at.
pub(crate) fn look_only_options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .read_only(true)
        .row_buffer_size(ROWS_AHEAD)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

/// Returns the options of connections to the database that writes go to.
pub(crate) fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // An answered write is durable: the log is synced at every commit, on macOS past the drive's cache too.
        .synchronous(SqliteSynchronous::Full)
        .pragma("fullfsync", "1")
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        // What is undone by savepoints is kept in memory: it never outlives the transaction.
        .pragma("temp_store", "MEMORY")
        .pragma("cache_size", SQLITE_CACHE)
        .statement_cache_capacity(SQLITE_STATEMENTS)
        .row_buffer_size(ROWS_AHEAD)
        .disable_statement_logging()
}

/// Returns the options of a pool of readers, which end whatever transaction a connection comes back with.
pub(crate) fn reader_pool() -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(SQLITE_READERS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_release(|connection, _| Box::pin(async move { Ok(end_transaction(connection).await) }))
}

/// Returns the options of a pool of readers beside the writer.
pub(crate) fn lasting_reader_pool() -> SqlitePoolOptions {
    reader_pool()
        // A file cannot hang up between two calls, and its connections do not age. What is open needs no descriptor
        // when there are none left, and goes on reading a file that was removed.
        .test_before_acquire(false)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
}

/// Ends the transaction that a connection may still be in, and tells whether the connection can be used again.
pub(crate) async fn end_transaction(connection: &mut SqliteConnection) -> bool {
    match sqlx::raw_sql("ROLLBACK").execute(connection).await {
        Ok(_) => true,
        // Most often there is none to end. Any other error means that the connection is not to be trusted.
        Err(error) => error
            .as_database_error()
            .is_some_and(|inner| inner.message().contains("no transaction is active")),
    }
}
