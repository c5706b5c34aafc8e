//! How a store is opened, and why it cannot be.

use std::path::PathBuf;

use crate::url::StoreUrl;

/// What to do with a store that is missing, or not of this version's schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// Make it.
    CreateIfMissing,
    /// Refuse.
    MustExist,
    /// Refuse, and only look: nothing is locked or brought up to date, a server may be running, and every write fails.
    ReadOnly,
}

/// A store could not be opened; each text is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is of no engine that Forge knows.
    #[error("the database URL must begin with `postgres://` or `sqlite://`, not `{0}`")]
    UnknownScheme(String),
    /// There is no store yet.
    #[error("there is no Forge store in {0}; create one with `forge init`")]
    Missing(StoreUrl),
    /// Another process has the SQLite store open.
    #[error("{0} is in use by another Forge process; stop it first, or use PostgreSQL to run several")]
    InUse(PathBuf),
    /// A later version wrote the schema.
    #[error(
        "{url} was written by a newer Forge (schema {found}, this one knows {known}); upgrade this binary"
    )]
    NewerSchema {
        /// Where the store is.
        url: StoreUrl,
        /// The newest migration in it.
        found: i64,
        /// The newest migration that this version knows.
        known: i64,
    },
    /// The schema is not the one that this version knows, and nothing may be changed.
    #[error("{0} has another schema than this version of Forge; look with the version that its server runs")]
    OtherSchema(StoreUrl),
    /// The folder or a file in it cannot be used.
    #[error("cannot use {path}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database cannot be reached.
    #[error("cannot connect to {url}")]
    Connect {
        /// Where the store is.
        url: StoreUrl,
        /// Why.
        source: sqlx::Error,
    },
    /// The schema could not be brought up to date.
    #[error("cannot bring the schema of {url} up to date")]
    Migrate {
        /// Where the store is.
        url: StoreUrl,
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
}
