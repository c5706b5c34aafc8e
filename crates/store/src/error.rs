//! What can go wrong in the store.

/// The store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or is overloaded; trying again later may help.
    #[error("the database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// A uniqueness constraint was violated: a race that the transaction did not exclude.
    #[error("a uniqueness constraint was violated")]
    Duplicate(#[source] sqlx::Error),
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
    Refused(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Tls(_) => Self::Unavailable(error),
            sqlx::Error::Database(inner) if inner.is_unique_violation() => Self::Duplicate(error),
            sqlx::Error::Database(inner) if is_transient(inner.code().as_deref()) => Self::Unavailable(error),
            _ => Self::Refused(error),
        }
    }
}

/// Tells whether a database's error code means that it is overloaded, shutting down or out of room.
fn is_transient(code: Option<&str>) -> bool {
    // PostgreSQL: class 53 is insufficient resources, 57P0x is shutting down, 57014 a statement timed out.
    // SQLite: 5 is BUSY, 10 an I/O error, 13 a full disk.
    code.is_some_and(|code| {
        code.starts_with("53") && code.len() == 5
            || code.starts_with("57P0")
            || ["57014", "5", "10", "13"].contains(&code)
    })
}
