//! Connections to PostgreSQL.

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPool, PgPoolOptions, Postgres};

use crate::error::StoreError;
use crate::pool_limits::{ACQUIRE_TIMEOUT, POSTGRES_CONNECTIONS};

/// What every session of PostgreSQL is told: nobody waits, runs or idles in a transaction for ever.
const SESSION: &str = "SET lock_timeout = '10s'; SET statement_timeout = '30s';
    SET idle_in_transaction_session_timeout = '30s'; SET client_min_messages = 'error'";

/// Every session finds the tables of the schema that the store was opened in, and no others, whatever the role or the
/// database is set to since.
///
/// Where there is none, nothing is found either way.
const SCHEMA: &str = "SELECT set_config('search_path', COALESCE(quote_ident($1), ''), FALSE)";

/// What a session is told that may only look.
const LOOK_ONLY: &str = "SET default_transaction_read_only = on";

/// Reads of PostgreSQL see one moment.
pub(crate) const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Writes of PostgreSQL: once a write has the organization's lock, every later statement has to see what was committed
/// before.
///
/// Whatever the role or the database is set to would hold otherwise. Not `READ WRITE`: a database that was made
/// read-only is to stay so.
pub(crate) const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Returns the options of a pool whose sessions find the tables of one schema.
pub(crate) fn pool(schema: Option<String>, is_look_only: bool) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_connect(move |connection, _| {
            let schema = schema.clone();
            Box::pin(async move {
                sqlx::query(SCHEMA).bind(schema).execute(&mut *connection).await?;
                sqlx::raw_sql(SESSION).execute(&mut *connection).await?;
                if is_look_only {
                    sqlx::raw_sql(LOOK_ONLY).execute(connection).await?;
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
}

/// Takes a connection of the pool.
pub(crate) async fn acquire(pool: &PgPool) -> Result<PoolConnection<Postgres>, StoreError> {
    pool.acquire().await.map_err(StoreError::no_connection)
}
