//! How many connections a node opens, and how long anybody waits for one.

use std::time::Duration;

/// How long to wait for a connection before the database counts as unavailable.
pub(crate) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// How many of the connections are kept free for what brings memory up to date, and looks whether the database is
/// there: however many read, a write is known, and nobody who waits for a turn takes a database that is there for away.
pub(crate) const KEPT_FREE: u32 = 2;

/// How many readers SQLite serves at once.
pub(crate) const SQLITE_READERS: u32 = 8;

/// How many connections a node opens to PostgreSQL at most.
pub(crate) const POSTGRES_CONNECTIONS: u32 = 20;
