//! Opening a store.

use std::path::Path;
use std::str::FromStr as _;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use crate::direct::Location;
use crate::folder::{create_private_file, create_private_folder, lock_folder};
use crate::migrate::{Dialect, MIGRATIONS, SchemaState, is_exactly_known, migrate, schema_state};
use crate::open_error::{OpenError, OpenMode};
use crate::place::{Mark, Place};
use crate::pools::Pools;
use crate::store::Store;
use crate::url::StoreUrl;
use crate::writer::Writer;
use crate::{postgres, sqlite};

/// Checks the schema behind a connection to either engine and applies what is missing of it.
macro_rules! bring_up_to_date {
    ($connection:expr, $dialect:expr, $url:expr, $mode:expr) => {{
        let connect = |source| OpenError::Connect {
            url: $url.clone(),
            source,
        };
        let applied: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
            .fetch_all(&mut *$connection)
            .await
            .or_else(missing_table_means_none)
            .map_err(connect)?;
        check_schema($url, &applied, $mode)?;
        let migrated = migrate(&mut *$connection, $dialect).await;
        migrated.map_err(|source| OpenError::Migrate {
            url: $url.clone(),
            source,
        })?;
    }};
}

/// Refuses a schema that is not exactly the one that this version knows, without changing anything.
macro_rules! require_known_schema {
    ($pool:expr, $dialect:expr, $url:expr) => {{
        let applied: Result<Vec<(i64, Vec<u8>)>, sqlx::Error> =
            sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version")
                .fetch_all($pool)
                .await;
        let applied = applied.or_else(missing_table_means_none);
        let applied = applied.map_err(|source| OpenError::Connect {
            url: $url.clone(),
            source,
        })?;
        let versions: Vec<i64> = applied.iter().map(|(version, _)| *version).collect();
        check_schema($url, &versions, OpenMode::ReadOnly)?;
        if !is_exactly_known(&applied, $dialect) {
            return Err(OpenError::OtherSchema($url.clone()));
        }
    }};
}

impl Store {
    /// Opens a store and, unless it is only looked at, brings its schema up to date.
    pub async fn open(url: &StoreUrl, mode: OpenMode) -> Result<Self, OpenError> {
        match url {
            StoreUrl::Folder(folder) if mode == OpenMode::ReadOnly => Self::look_at_sqlite(url, folder).await,
            StoreUrl::Folder(folder) => Self::open_sqlite(url, folder, mode).await,
            StoreUrl::Postgres(text) => Self::open_postgres(url, text, mode).await,
        }
    }

    /// Opens a folder beside the server that may hold it: readers of a write-ahead log and its writer do not wait for
    /// one another.
    async fn look_at_sqlite(url: &StoreUrl, folder: &Path) -> Result<Self, OpenError> {
        let file = folder.join("forge.db");
        if !file.exists() {
            return Err(OpenError::Missing(url.clone()));
        }
        let connect = |source| OpenError::Connect {
            url: url.clone(),
            source,
        };
        let readers = sqlite::reader_pool()
            .connect_with(sqlite::look_only_options(&file))
            .await
            .map_err(connect)?;
        require_known_schema!(&readers, Dialect::Sqlite, url);
        Ok(Self::new(Pools::Sqlite {
            writer: None,
            readers,
            place: Place::default(),
            _lock: None,
        }))
    }

    async fn open_sqlite(url: &StoreUrl, folder: &Path, mode: OpenMode) -> Result<Self, OpenError> {
        let file = folder.join("forge.db");
        if mode == OpenMode::MustExist && !file.exists() {
            return Err(OpenError::Missing(url.clone()));
        }
        create_private_folder(folder)?;
        let lock = lock_folder(folder)?;
        create_private_file(&file)?;
        let options = sqlite::options(&file);
        let connect = |source| OpenError::Connect {
            url: url.clone(),
            source,
        };
        let mut opener = options.connect().await.map_err(connect)?;
        bring_up_to_date!(&mut opener, Dialect::Sqlite, url, mode);
        let mark = Mark::put(&mut opener).await.map_err(connect)?;
        // A log that a crash left is emptied: where its index was made anew, it is unknown what was copied already.
        let emptied = sqlx::raw_sql("PRAGMA wal_checkpoint").execute(&mut opener).await;
        emptied.map_err(connect)?;
        let location = Location::File(file);
        let writer = location.connect().map_err(connect)?;
        // The log stays, for it is open.
        opener.close().await.map_err(connect)?;
        let place = Place::of(folder, mark)?;
        let readers = sqlite::lasting_reader_pool()
            .connect_with(options.create_if_missing(false).pragma("query_only", "1"))
            .await
            .map_err(connect)?;
        Ok(Self::new(Pools::Sqlite {
            writer: Some(Writer::start(writer, location, place.clone())),
            readers,
            place,
            _lock: Some(lock.into()),
        }))
    }

    async fn open_postgres(url: &StoreUrl, text: &str, mode: OpenMode) -> Result<Self, OpenError> {
        let connect = |source| OpenError::Connect {
            url: url.clone(),
            source,
        };
        let options = PgConnectOptions::from_str(text)
            .map_err(connect)?
            .disable_statement_logging();
        // A pool goes on trying until it may not wait any longer; a wrong address should be told at once.
        let mut probe = options.connect().await.map_err(connect)?;
        let schema: Option<String> = sqlx::query_scalar("SELECT current_schema()::TEXT")
            .fetch_one(&mut probe)
            .await
            .map_err(connect)?;
        probe.close().await.map_err(connect)?;
        let pool = postgres::pool(schema, mode == OpenMode::ReadOnly)
            .connect_with(options.application_name("forge"))
            .await
            .map_err(connect)?;
        if mode == OpenMode::ReadOnly {
            require_known_schema!(&pool, Dialect::Postgres, url);
        } else {
            let mut connection = pool.acquire().await.map_err(connect)?;
            bring_up_to_date!(&mut *connection, Dialect::Postgres, url, mode);
        }
        Ok(Self::new(Pools::Postgres(pool)))
    }
}

fn missing_table_means_none<T>(error: sqlx::Error) -> Result<Vec<T>, sqlx::Error> {
    let is_missing = error.as_database_error().is_some_and(|inner| {
        inner.code().as_deref() == Some("42P01") || inner.message().contains("no such table")
    });
    if is_missing { Ok(Vec::new()) } else { Err(error) }
}

fn check_schema(url: &StoreUrl, applied: &[i64], mode: OpenMode) -> Result<(), OpenError> {
    match schema_state(applied) {
        SchemaState::Newer(found) => {
            let known = MIGRATIONS.last().map_or(0, |migration| migration.0);
            Err(OpenError::NewerSchema {
                url: url.clone(),
                found,
                known,
            })
        }
        SchemaState::Missing if mode != OpenMode::CreateIfMissing => Err(OpenError::Missing(url.clone())),
        _ => Ok(()),
    }
}
