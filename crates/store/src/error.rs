//! What can go wrong in the store.

use std::sync::Arc;

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;

/// The store could not do what it was asked.
///
/// Several writers may be told of one failure, so it can be copied.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, takes no writes for now or is overloaded; trying again later may help.
    #[error("the database is unavailable")]
    Unavailable(#[source] Arc<sqlx::Error>),
    /// The database undid the transaction because of another one that ran at the same time; trying again helps.
    #[error("the database undid the transaction because of another one")]
    Contended(#[source] Arc<sqlx::Error>),
    /// The connection was lost while a write was being made durable: it may have been, or not.
    #[error("the database did not say whether the write took place")]
    OutcomeUnknown(#[source] Arc<sqlx::Error>),
    /// A uniqueness constraint was violated: a race that the transaction did not exclude.
    #[error("a uniqueness constraint was violated")]
    Duplicate(#[source] Arc<sqlx::Error>),
    /// A row holds what Forge never writes.
    #[error("column `{column}` holds what Forge never writes: {reason}")]
    Corrupt {
        /// The column as the statement names it.
        column: String,
        /// Why the value cannot be right.
        reason: String,
    },
    /// The database refused a statement: a fault of Forge.
    #[error("the database refused a statement")]
    Refused(#[source] Arc<sqlx::Error>),
}

impl StoreError {
    /// Builds the error of somebody who is not told in time what the database holds.
    pub fn not_told() -> Self {
        Self::no_connection(sqlx::Error::PoolTimedOut)
    }

    /// Builds the error of somebody who got no connection: whatever the reason, it is not the statement's fault.
    pub(crate) fn no_connection(error: sqlx::Error) -> Self {
        Self::Unavailable(Arc::new(error))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let kind = match &error {
            // A server that says what the protocol does not know is as good as away.
            sqlx::Error::Io(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Tls(_) => Self::Unavailable,
            sqlx::Error::Database(inner) if inner.is_unique_violation() => Self::Duplicate,
            sqlx::Error::Database(inner) => match class(inner.as_ref()) {
                Class::Passing => Self::Unavailable,
                Class::Contended => Self::Contended,
                Class::Lasting => Self::Refused,
            },
            _ => Self::Refused,
        };
        kind(Arc::new(error))
    }
}

/// What a database's error code means for whoever asks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// It is away, read-only, overloaded, shutting down or out of room.
    Passing,
    /// Another transaction was in the way.
    Contended,
    /// It will be the same again.
    Lasting,
}

fn class(error: &dyn DatabaseError) -> Class {
    match error.try_downcast_ref::<PgDatabaseError>() {
        Some(error) => postgres_class(error.code()),
        None => sqlite_class(error.code().as_deref()),
    }
}

/// By the classes of <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn postgres_class(code: &str) -> Class {
    match code {
        // Serialization failures, of standbys too, deadlocks, snapshots that are too old.
        "40000" | "40001" | "40P01" | "72000" => Class::Contended,
        // Read-only: a standby, or a primary that was fenced. Idle in a transaction or in it for too long.
        "25006" | "25P03" | "25P04"
        // Whether the statement took place is unknown.
        | "40003"
        // The database is not there, or being replaced. A lock took too long.
        | "3D000" | "55006" | "55P03" => Class::Passing,
        _ => match code.get(..2) {
            // 08: connections, those of poolers too. 28: who may connect. 53: resources. 57: shutting down, starting,
            // cancelled. 58: errors of the system, such as of its disk.
            Some("08" | "28" | "53" | "57" | "58") => Class::Passing,
            _ => Class::Lasting,
        },
    }
}

/// Codes of SQLite are numbers whose last byte is the kind of error: 5 is BUSY, 7 out of memory, 8 READONLY, 10 an I/O
/// error, 11 CORRUPT, 13 a full disk, 14 a file that cannot be opened, 15 a lock that cannot be had, 26 no database.
fn sqlite_class(code: Option<&str>) -> Class {
    let kind = code
        .and_then(|code| code.parse::<u32>().ok())
        .map(|code| code & 0xff);
    match kind {
        Some(5 | 7 | 8 | 10 | 11 | 13 | 14 | 15 | 26) => Class::Passing,
        _ => Class::Lasting,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sqlstate_has_its_class() {
        let table = [
            // Away, starting, shutting down, or a pooler that says so.
            (
                "08000 08001 08003 08004 08006 08P01 57P01 57P02 57P03 57P04 57P05 3D000 28000 28P01",
                Class::Passing,
            ),
            // A standby or a fenced primary.
            ("25006", Class::Passing),
            // Overloaded, out of room, too slow.
            (
                "53000 53100 53200 53300 53400 57014 55P03 55006 25P03 25P04 40003 58000 58030 58P01",
                Class::Passing,
            ),
            ("40000 40001 40P01 72000", Class::Contended),
            (
                "00000 02000 0A000 22001 22021 23502 23503 23514 25P02 40002 42501 42601 42P01 54000 P0001 XX000 XX001 x",
                Class::Lasting,
            ),
        ];
        for (codes, expected) in table {
            for code in codes.split(' ') {
                assert_eq!(postgres_class(code), expected, "{code}");
            }
        }
    }

    #[test]
    fn codes_of_sqlite_have_their_class_by_the_last_byte() {
        for passing in [
            "5", "517", "7", "8", "778", "10", "4874", "11", "267", "13", "14", "15", "26",
        ] {
            assert_eq!(sqlite_class(Some(passing)), Class::Passing, "{passing}");
        }
        for lasting in ["1", "19", "2067", "787", "x"] {
            assert_eq!(sqlite_class(Some(lasting)), Class::Lasting, "{lasting}");
        }
        assert_eq!(sqlite_class(None), Class::Lasting);
    }
}
