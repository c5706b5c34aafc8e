//! The connections of an open store.

use std::fs::File;
use std::sync::Arc;

use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;

use crate::error::StoreError;
use crate::place::Place;
use crate::pool_limits::{KEPT_FREE, POSTGRES_CONNECTIONS, SQLITE_READERS};
use crate::writer::Writer;

/// The connections to either engine.
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
    pub(crate) fn shared_connections(&self) -> usize {
        let connections = match self {
            Self::Sqlite { .. } => SQLITE_READERS,
            Self::Postgres(_) => POSTGRES_CONNECTIONS,
        };
        (connections - KEPT_FREE) as usize
    }
}

/// Returns the writer of SQLite, which a store has that is not only looked at.
pub(crate) fn require_writer(writer: Option<&Writer>) -> Result<&Writer, StoreError> {
    writer.ok_or_else(|| {
        let text = "the store was opened only to look at it";
        StoreError::Refused(Arc::new(sqlx::Error::Protocol(text.into())))
    })
}
