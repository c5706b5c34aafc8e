//! The connection that a transaction has, whichever engine it is to.

use std::time::Duration;

use futures_util::{Stream, TryStreamExt as _};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, Postgres};
use sqlx::sqlite::{Sqlite, SqliteConnection};

use crate::error::StoreError;
use crate::place::Place;
use crate::row::Row;
use crate::rows::Rows;
use crate::statement::Statement;
use crate::writer::Turn;

/// How long PostgreSQL may take to answer a statement: longer than it lets one run, see `postgres`.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(40);

/// How many bytes of rows are decoded at once, or one row: then it is the turn of whatever else the worker has to do.
const MOST_IN_A_ROW: usize = 64 * 1024;

/// What a transaction runs on.
#[derive(Debug)]
pub(crate) enum Engine {
    /// A reader, and the files that it reads.
    Sqlite(PoolConnection<Sqlite>, Place),
    SqliteWriter(Turn),
    Postgres(PoolConnection<Postgres>),
}

/// A connection, lent for one statement.
pub(crate) enum Connection<'c> {
    Sqlite(&'c mut SqliteConnection),
    /// That of the writer of SQLite, which is called in the caller's own thread.
    Direct(&'c mut rusqlite::Connection),
    Postgres(&'c mut PgConnection),
}

impl Engine {
    /// Returns the connection.
    pub(crate) fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::Sqlite(connection, _) => Connection::Sqlite(connection),
            Self::SqliteWriter(turn) => Connection::Direct(turn.connection()),
            Self::Postgres(connection) => Connection::Postgres(connection),
        }
    }

    /// Builds the error of a statement, and notes what it says of the files.
    pub(crate) fn failed(&self, statement: &Statement, error: sqlx::Error) -> StoreError {
        match self {
            Self::Sqlite(_, place) => place.note_error(&error),
            Self::SqliteWriter(turn) => turn.place().note_error(&error),
            Self::Postgres(_) => {}
        }
        let error = StoreError::from(error);
        tracing::debug!(statement = statement.name, %error, "a statement failed");
        error
    }
}

/// Binds values of either engine to a query of it.
macro_rules! bind {
    ($query:expr, $args:expr) => {
        $args.into_iter().fold($query, |query, value| match value {
            $crate::row::Value::Text(value) => query.bind(value),
            $crate::row::Value::Integer(value) => query.bind(value),
            $crate::row::Value::Boolean(value) => query.bind(value),
        })
    };
}
pub(crate) use bind;

/// Waits for the answer of a server, which gives up by itself before; if none has come by then, it is out of reach.
pub(crate) async fn answer<T>(asked: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let silent = |_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
    tokio::time::timeout(ANSWER_TIMEOUT, asked)
        .await
        .unwrap_or_else(silent)
}

/// Returns what a row is decoded to, and how many bytes it has.
pub(crate) fn decoded<T>(
    decode: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    row: &Row<'_>,
) -> Result<(T, usize), StoreError> {
    decode(row).map(|decoded| (decoded, row.bytes()))
}

/// Takes rows as they come, while there is room for them.
///
/// The driver forgets those that nobody takes any more, before it runs the next statement. A row that cannot be decoded
/// fails the read, not the transaction.
pub(crate) async fn take<R, T>(
    mut rows: impl Stream<Item = Result<R, sqlx::Error>> + Unpin,
    decode: impl Fn(R) -> Result<(T, usize), StoreError>,
    room: usize,
) -> Result<Result<Rows<T>, StoreError>, sqlx::Error> {
    let mut taken = Rows::for_room(room);
    let mut in_a_row = 0;
    while let Some(row) = rows.try_next().await? {
        let (row, bytes) = match decode(row) {
            Ok(decoded) => decoded,
            Err(error) => return Ok(Err(error)),
        };
        if !taken.push(row, bytes) {
            break;
        }
        in_a_row += bytes;
        if in_a_row > MOST_IN_A_ROW {
            // The driver is often ahead, and then nothing else would let others have the worker.
            tokio::task::yield_now().await;
            in_a_row = 0;
        }
    }
    Ok(Ok(taken))
}
