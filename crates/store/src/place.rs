//! Whether the files of the embedded database are still those that were opened, and hold what SQLite wrote.
//!
//! A file that was removed or replaced stays open: what is written to it is gone when the process ends. So the writer
//! looks before and after each commit, and nobody is told of a write that nobody can find later.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::error::DatabaseError;
use sqlx::sqlite::SqliteConnection;

use crate::contents::{Contents, Damage};
use crate::direct::integer;
use crate::error::StoreError;
use crate::open_error::OpenError;

/// The files as they were when the store was opened.
///
/// An empty one, of a database in memory, is never lost.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place(Arc<Files>);

#[derive(Debug, Default)]
struct Files {
    opened: Vec<(PathBuf, Identity)>,
    /// What the database was marked with when it was opened: files that fit each other, but are of another database or
    /// of an earlier run, hold another mark.
    mark: Option<Mark>,
    /// Nothing where they cannot be looked into.
    contents: Option<Contents>,
    /// Whether somebody has seen that something is wrong, so that it is told once.
    is_told: AtomicBool,
}

/// Why nothing can be written to the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Loss {
    #[error("the data folder was removed or replaced")]
    Gone,
    #[error(transparent)]
    Damaged(Damage),
}

/// A number that stands in the head of the database, where SQLite keeps one for whoever uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(i32);

const READ_MARK: &str = "PRAGMA user_version";

impl Mark {
    /// Marks a database anew.
    pub(crate) async fn put(connection: &mut SqliteConnection) -> Result<Self, sqlx::Error> {
        let mark: i32 = sqlx::query_scalar("SELECT random() >> 32")
            .fetch_one(&mut *connection)
            .await?;
        let sql = sqlx::AssertSqlSafe(format!("PRAGMA user_version = {mark}"));
        sqlx::raw_sql(sql).execute(connection).await?;
        Ok(Self(mark))
    }

    /// Returns the mark of the database that a reader sees.
    pub(crate) async fn of(connection: &mut SqliteConnection) -> Result<Self, sqlx::Error> {
        sqlx::query_scalar(READ_MARK)
            .fetch_one(connection)
            .await
            .map(Self)
    }

    /// Returns the mark of the database that the writer sees.
    pub(crate) fn of_writer(connection: &rusqlite::Connection) -> Result<Self, sqlx::Error> {
        integer(connection, READ_MARK).map(Self)
    }
}

/// Device and number of a file: another file of that name has others.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

/// Elsewhere, open files cannot be removed.
#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<Identity> {
    std::fs::metadata(path).map(|_| (0, 0))
}

impl Place {
    /// Notes which files are in a folder; its database is open and was marked, so its log is there too.
    pub(crate) fn of(folder: &Path, mark: Mark) -> Result<Self, OpenError> {
        let mut opened = Vec::new();
        for name in ["forge.db", "forge.db-wal", "forge.db-shm", "forge.lock"] {
            let path = folder.join(name);
            let identity = identity(&path).map_err(|source| OpenError::File {
                path: path.clone(),
                source,
            })?;
            opened.push((path, identity));
        }
        let contents = Contents::of(folder).map_err(|source| OpenError::File {
            path: folder.to_owned(),
            source,
        })?;
        if contents.is_none() {
            tracing::warn!(
                path = %folder.display(),
                "the files of the database cannot be looked into here: it goes unnoticed if something else writes to them"
            );
        }
        let is_told = AtomicBool::new(false);
        Ok(Self(Arc::new(Files {
            opened,
            mark: Some(mark),
            contents,
            is_told,
        })))
    }

    /// Returns why nothing can be written to the files, if so.
    pub(crate) fn check(&self) -> Result<(), Loss> {
        self.judge(Contents::check)
    }

    /// Says that a commit begins, which changes the files.
    pub(crate) fn begin_commit(&self) {
        self.0.contents.iter().for_each(Contents::begin_commit);
    }

    /// Says that it has ended, and returns why it may be lost, if so.
    pub(crate) fn end_commit(&self) -> Result<(), Loss> {
        self.judge(Contents::end_commit)
    }

    /// Fails if what a connection sees, in a transaction, is the mark of another database than the one that was opened.
    pub(crate) fn require_mark(&self, found: Mark) -> Result<(), sqlx::Error> {
        if self.0.mark.is_none_or(|mark| mark == found) {
            return Ok(());
        }
        self.note(Damage::Replaced);
        Err(Loss::Damaged(Damage::Replaced).into())
    }

    /// Notes that the database itself says it is damaged, if that is what an error says.
    pub(crate) fn note_error(&self, error: &sqlx::Error) {
        if is_damage(error) {
            self.note(Damage::Found);
        }
    }

    fn note(&self, damage: Damage) {
        if let Some(contents) = &self.0.contents {
            contents.note(damage);
            let _ = self.check();
        }
    }

    fn judge(&self, look: fn(&Contents) -> Result<(), Damage>) -> Result<(), Loss> {
        let missing = self
            .0
            .opened
            .iter()
            .find(|(path, file)| !identity(path).is_ok_and(|found| found == *file));
        let contents = self.0.contents.as_ref().map_or(Ok(()), look);
        let found = match (missing, contents) {
            (_, Err(damage)) => Err(Loss::Damaged(damage)),
            (Some(_), _) => Err(Loss::Gone),
            (None, Ok(())) => Ok(()),
        };
        let was_told = self.0.is_told.swap(found.is_err(), Ordering::Relaxed);
        match (found, missing) {
            (Err(Loss::Damaged(damage)), _) if !was_told => tracing::error!(
                folder = ?self.folder(),
                %damage,
                "the files of the database were changed under the running server: nothing is written any more; stop the \
                 server, remove forge.db-wal and forge.db-shm, put a backup in the place of forge.db, and start it"
            ),
            (Err(Loss::Gone), Some((path, _))) if !was_told => tracing::error!(
                path = %path.display(),
                "the data folder was removed or replaced under the running server: nothing is written any more; put \
                 the very same files back, or stop the server and start it on what is there"
            ),
            (Ok(()), _) if was_told => tracing::warn!("the data folder is back; writes go on"),
            _ => {}
        }
        found
    }

    /// Returns the folder; nothing of a database in memory, or that is only looked at.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.0.opened.first().and_then(|(path, _)| path.parent())
    }

    /// Fails if nothing can be written to the files.
    pub(crate) fn require(&self) -> Result<(), StoreError> {
        self.check()
            .map_err(|loss| StoreError::Unavailable(Arc::new(loss.into())))
    }
}

/// What stands for the loss of the files where the database itself notices nothing.
impl From<Loss> for sqlx::Error {
    fn from(loss: Loss) -> Self {
        Self::Io(io::Error::other(loss))
    }
}

/// Returns `true` if SQLite says that a file is damaged (11, CORRUPT) or is no database at all (26, NOTADB).
fn is_damage(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    let code = code.and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 11 | 26))
}
