//! Errors of SQLite that come without the driver of the readers, told as its own are.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Display, Formatter};

use rusqlite::ffi;
use sqlx::error::{DatabaseError, ErrorKind};

/// What SQLite said.
#[derive(Debug)]
struct SqliteFailure {
    /// The extended result code.
    code: i32,
    message: String,
}

/// Returns an error as the driver of the readers would have told it.
pub(crate) fn failure(error: rusqlite::Error) -> sqlx::Error {
    match error {
        rusqlite::Error::SqliteFailure(inner, message) => sqlx::Error::Database(Box::new(SqliteFailure {
            code: inner.extended_code,
            message: message.unwrap_or_else(|| inner.to_string()),
        })),
        // What is left is no answer of SQLite, but a fault of whoever asks.
        other => sqlx::Error::Decode(Box::new(other)),
    }
}

impl Display for SqliteFailure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "(code: {}) {}", self.code, self.message)
    }
}

impl Error for SqliteFailure {}

impl DatabaseError for SqliteFailure {
    fn message(&self) -> &str {
        &self.message
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(self.code.to_string().into())
    }

    fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        match self.code {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => ErrorKind::UniqueViolation,
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => ErrorKind::ForeignKeyViolation,
            ffi::SQLITE_CONSTRAINT_NOTNULL => ErrorKind::NotNullViolation,
            ffi::SQLITE_CONSTRAINT_CHECK => ErrorKind::CheckViolation,
            _ => ErrorKind::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::StoreError;

    fn fail(connection: &Connection, sql: &str) -> StoreError {
        failure(connection.execute_batch(sql).unwrap_err()).into()
    }

    #[test]
    fn failures_are_told_by_their_extended_code() {
        let connection = Connection::open_in_memory().unwrap();
        let tables = "PRAGMA foreign_keys = ON; CREATE TABLE one (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL); \
                      CREATE TABLE two (one INTEGER REFERENCES one (id)); INSERT INTO one VALUES (1, 'a')";
        connection.execute_batch(tables).unwrap();
        let table = [
            ("INSERT INTO one VALUES (2, 'a')", "2067", "Duplicate"),
            ("INSERT INTO one VALUES (1, 'b')", "1555", "Duplicate"),
            ("INSERT INTO one VALUES (2, NULL)", "1299", "Refused"),
            ("INSERT INTO two VALUES (2)", "787", "Refused"),
            ("SELECT nothing", "1", "Refused"),
        ];
        for (sql, code, expected) in table {
            let told = format!("{:?}", fail(&connection, sql));
            assert!(told.starts_with(expected), "{sql}: {told}");
            assert!(told.contains(&format!("code: {code},")), "{sql}: {told}");
        }
        connection
            .execute_batch("PRAGMA max_page_count = 1; PRAGMA query_only = 0")
            .unwrap();
        let full = format!("{:?}", fail(&connection, "CREATE TABLE three (id)"));
        assert!(
            full.starts_with("Unavailable") && full.contains("code: 13,"),
            "{full}"
        );
    }
}
