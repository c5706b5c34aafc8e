//! Bringing a database to the schema of this version.

use std::borrow::Cow;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};

/// Every migration, oldest first: version, description, SQL for SQLite, SQL for PostgreSQL.
///
/// Never edit one that was released; add another.
pub const MIGRATIONS: &[(i64, &str, &str, &str)] = &[
    (
        1,
        "foundation",
        include_str!("../migrations/sqlite/0001_foundation.sql"),
        include_str!("../migrations/postgres/0001_foundation.sql"),
    ),
    (
        2,
        "promotion",
        include_str!("../migrations/sqlite/0002_promotion.sql"),
        include_str!("../migrations/postgres/0002_promotion.sql"),
    ),
    (
        3,
        "memory",
        include_str!("../migrations/sqlite/0003_memory.sql"),
        include_str!("../migrations/postgres/0003_memory.sql"),
    ),
    (
        4,
        "conversations",
        include_str!("../migrations/sqlite/0004_conversations.sql"),
        include_str!("../migrations/postgres/0004_conversations.sql"),
    ),
    (
        5,
        "items",
        include_str!("../migrations/sqlite/0005_items.sql"),
        include_str!("../migrations/postgres/0005_items.sql"),
    ),
    (
        6,
        "simulation",
        include_str!("../migrations/sqlite/0006_simulation.sql"),
        include_str!("../migrations/postgres/0006_simulation.sql"),
    ),
    (
        7,
        "page cursors",
        include_str!("../migrations/sqlite/0007_page_cursors.sql"),
        include_str!("../migrations/postgres/0007_page_cursors.sql"),
    ),
    (
        8,
        "actor keys",
        include_str!("../migrations/sqlite/0008_actor_keys.sql"),
        include_str!("../migrations/postgres/0008_actor_keys.sql"),
    ),
    (
        9,
        "ended grants",
        include_str!("../migrations/sqlite/0009_ended_grants.sql"),
        include_str!("../migrations/postgres/0009_ended_grants.sql"),
    ),
    (
        10,
        "whose turn",
        include_str!("../migrations/sqlite/0010_whose_turn.sql"),
        include_str!("../migrations/postgres/0010_whose_turn.sql"),
    ),
    (
        11,
        "message bytes",
        include_str!("../migrations/sqlite/0011_message_bytes.sql"),
        include_str!("../migrations/postgres/0011_message_bytes.sql"),
    ),
    (
        12,
        "pages",
        include_str!("../migrations/sqlite/0012_pages.sql"),
        include_str!("../migrations/postgres/0012_pages.sql"),
    ),
];

/// How a database's schema compares with the one this version of Forge knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaState {
    /// There is no Forge in it yet.
    Missing,
    /// It can be brought up to date.
    Older,
    /// It is the one this version knows.
    Current,
    /// A later version of Forge wrote it, up to this migration.
    Newer(i64),
}

/// Which of the two texts of a migration is meant.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

fn migrator(dialect: Dialect) -> Migrator {
    let migration =
        |&(version, description, sqlite, postgres): &(i64, &'static str, &'static str, &'static str)| {
            let sql = match dialect {
                Dialect::Sqlite => sqlite,
                Dialect::Postgres => postgres,
            };
            Migration::new(
                version,
                Cow::Borrowed(description),
                MigrationType::Simple,
                sql.into_sql_str(),
                false,
            )
        };
    Migrator::with_migrations(MIGRATIONS.iter().map(migration).collect())
}

/// Compares the applied migrations, given by their versions, with those this version knows.
pub(crate) fn schema_state(applied: &[i64]) -> SchemaState {
    let known = MIGRATIONS.last().map_or(0, |migration| migration.0);
    match applied.iter().max() {
        None => SchemaState::Missing,
        Some(&newest) if newest > known => SchemaState::Newer(newest),
        Some(&newest) if newest == known => SchemaState::Current,
        Some(_) => SchemaState::Older,
    }
}

/// Returns `true` if the applied migrations, given by version and checksum and in order, are exactly those that this
/// version knows.
pub(crate) fn is_exactly_known(applied: &[(i64, Vec<u8>)], dialect: Dialect) -> bool {
    let migrator = migrator(dialect);
    let known = migrator
        .iter()
        .map(|migration| (migration.version, &*migration.checksum));
    known.eq(applied
        .iter()
        .map(|(version, checksum)| (*version, checksum.as_slice())))
}

/// Applies what is missing.
///
/// Several processes may call it at once; one of them migrates.
pub(crate) async fn migrate<C: Migrate>(connection: &mut C, dialect: Dialect) -> Result<(), MigrateError> {
    migrator(dialect).run_direct(None, connection, false).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_from_the_future_is_recognised() {
        let known = MIGRATIONS.last().unwrap().0;
        assert_eq!(schema_state(&[]), SchemaState::Missing);
        assert_eq!(schema_state(&[known]), SchemaState::Current);
        assert_eq!(schema_state(&[1, known + 1]), SchemaState::Newer(known + 1));
        assert_eq!(schema_state(&[0]), SchemaState::Older);
    }

    #[test]
    fn versions_count_up_from_one() {
        let versions: Vec<i64> = MIGRATIONS.iter().map(|migration| migration.0).collect();
        assert_eq!(
            versions,
            (1..=i64::try_from(MIGRATIONS.len()).unwrap()).collect::<Vec<_>>()
        );
    }
}
