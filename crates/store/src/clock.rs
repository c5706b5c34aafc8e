//! Whether this machine's clock agrees with the database's.

use forge_domain::Timestamp;

use crate::error::StoreError;
use crate::pools::Pools;
use crate::postgres::acquire;
use crate::store::Store;

impl Store {
    /// Returns by how many milliseconds `now` is ahead of the database's clock, less than 0 where it is behind; `None`
    /// if the database has no clock of its own.
    pub async fn clock_lead(&self, now: Timestamp) -> Result<Option<i64>, StoreError> {
        let Pools::Postgres(pool) = &self.shared.pools else {
            return Ok(None);
        };
        let mut connection = acquire(pool).await?;
        let theirs = sqlx::query_scalar("SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT");
        let theirs: i64 = theirs.fetch_one(&mut *connection).await?;
        Ok(Some(now.as_millis() - theirs))
    }
}
