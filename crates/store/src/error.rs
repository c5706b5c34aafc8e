//! What can go wrong in the store.

use std::sync::Arc;

/// The store could not do what it was asked. Several writers may be told of one failure, so it can be copied.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or is overloaded; trying again later may help.
    #[error("the database is unavailable")]
    Unavailable(#[source] Arc<sqlx::Error>),
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

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Tls(_) => Self::Unavailable(Arc::new(error)),
            sqlx::Error::Database(inner) if inner.is_unique_violation() => Self::Duplicate(Arc::new(error)),
            sqlx::Error::Database(inner) if is_transient(inner.code().as_deref()) => {
                Self::Unavailable(Arc::new(error))
            }
            _ => Self::Refused(Arc::new(error)),
        }
    }
}

/// Tells whether a database's error code means that it is overloaded, shutting down or out of room.
fn is_transient(code: Option<&str>) -> bool {
    let Some(code) = code else { return false };
    // PostgreSQL has codes of five characters. Class 53 is insufficient resources, 57P0x is shutting down, 57014 a
    // statement that took too long, 55P03 a lock that did.
    if code.len() == 5 {
        return code.starts_with("53") || code.starts_with("57P0") || ["57014", "55P03"].contains(&code);
    }
    // SQLite has numbers whose last byte is the kind of error: 5 is BUSY, 8 READONLY, 10 an I/O error, 13 a full disk,
    // 14 a file that cannot be opened.
    code.parse::<u32>()
        .is_ok_and(|code| [5, 8, 10, 13, 14].contains(&(code & 0xff)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_told_from_what_will_not() {
        for passing in ["53300", "57P01", "57014", "55P03", "5", "517", "778", "13", "14"] {
            assert!(is_transient(Some(passing)), "{passing}");
        }
        for lasting in ["23505", "42P01", "1", "19", "2067", "787", "x"] {
            assert!(!is_transient(Some(lasting)), "{lasting}");
        }
        assert!(!is_transient(None));
    }
}
