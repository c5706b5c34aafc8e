//! Calls of SQLite in the thread that makes them.
//!
//! The driver of the readers has a thread for each connection, and each statement goes there and back. What the writer
//! asks is in memory most often, so that this would take longer than the statement itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{CachedStatement, Connection, OpenFlags};

use crate::error::StoreError;
use crate::row::{Row, Value};
use crate::rows::Rows;
use crate::sqlite::{BUSY_TIMEOUT, SQLITE_CACHE, SQLITE_STATEMENTS};
use crate::sqlite_failure::failure;

/// Where a database is that can be connected to again.
#[derive(Debug, Clone)]
pub(crate) enum Location {
    File(PathBuf),
    #[cfg(test)]
    Memory,
}

impl Location {
    /// Connects the writer; the file has to be there.
    pub(crate) fn connect(&self) -> Result<Connection, sqlx::Error> {
        self.try_connect().map_err(failure)
    }

    fn try_connect(&self) -> rusqlite::Result<Connection> {
        let connection = match self {
            Self::File(path) => open(path)?,
            #[cfg(test)]
            Self::Memory => Connection::open_in_memory()?,
        };
        connection.set_prepared_statement_cache_capacity(SQLITE_STATEMENTS);
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.execute_batch(&format!(
            // What `sqlite::writer_options` says, in that order.
            "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA fullfsync = 1; \
             PRAGMA temp_store = MEMORY; PRAGMA cache_size = {SQLITE_CACHE}"
        ))?;
        Ok(connection)
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    // Whoever has the connection has it alone. A name that looks like a URI is a name all the same.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE;
    Connection::open_with_flags(path, flags)
}

/// Runs a statement and returns how many rows it touched.
pub(crate) fn execute(connection: &Connection, sql: &str, args: &[Value]) -> Result<u64, sqlx::Error> {
    let executed = || {
        let mut statement = prepare(connection, sql, args)?;
        let mut rows = statement.raw_query();
        while rows.next()?.is_some() {}
        Ok(connection.changes())
    };
    executed().map_err(failure)
}

/// Runs a query and decodes its rows one by one, as many as there is room for.
///
/// A row that cannot be decoded fails the read, not the transaction.
pub(crate) fn query<T>(
    connection: &Connection,
    sql: &str,
    args: &[Value],
    decode: impl Fn(&Row<'_>) -> Result<(T, usize), StoreError>,
    room: usize,
) -> Result<Result<Rows<T>, StoreError>, sqlx::Error> {
    let mut statement = prepare(connection, sql, args).map_err(failure)?;
    let mut rows = statement.raw_query();
    let mut taken = Rows::for_room(room);
    while let Some(row) = rows.next().map_err(failure)? {
        let (row, bytes) = match decode(&Row::from(row)) {
            Ok(decoded) => decoded,
            Err(error) => return Ok(Err(error)),
        };
        if !taken.push(row, bytes) {
            break;
        }
    }
    Ok(Ok(taken))
}

/// Returns the one integer that a query gives.
pub(crate) fn integer(connection: &Connection, sql: &str) -> Result<i32, sqlx::Error> {
    let read = || connection.prepare_cached(sql)?.query_row((), |row| row.get(0));
    read().map_err(failure)
}

/// Waits for other processes that have the database locked, for that long at most.
pub(crate) fn set_patience(connection: &Connection, time: Duration) -> Result<(), sqlx::Error> {
    connection.busy_timeout(time).map_err(failure)
}

/// Ends the transaction that a connection may still be in, and tells whether the connection can be used again.
pub(crate) fn end_transaction(connection: &Connection) -> bool {
    connection.is_autocommit() || execute(connection, "ROLLBACK", &[]).is_ok()
}

fn prepare<'c>(
    connection: &'c Connection,
    sql: &str,
    args: &[Value],
) -> rusqlite::Result<CachedStatement<'c>> {
    let mut statement = connection.prepare_cached(sql)?;
    // To SQLite, `$1` is a name: parameters are numbered as they first come.
    for index in 1..=statement.parameter_count() {
        let place = statement.parameter_name(index).and_then(place);
        let arg = place.and_then(|place| args.get(place));
        let arg = arg.ok_or(rusqlite::Error::InvalidParameterCount(args.len(), index))?;
        match arg {
            Value::Text(value) => statement.raw_bind_parameter(index, value)?,
            Value::Integer(value) => statement.raw_bind_parameter(index, value)?,
            Value::Boolean(value) => statement.raw_bind_parameter(index, value)?,
        }
    }
    Ok(statement)
}

/// Returns the place among the arguments that `$1`, `$2` … stand for.
fn place(name: &str) -> Option<usize> {
    name.strip_prefix('$')?.parse::<usize>().ok()?.checked_sub(1)
}
