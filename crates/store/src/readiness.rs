//! Whether the store would take a write now.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::postgres::PgPool;
use tokio::sync::Mutex;

use crate::engine::Engine;
use crate::error::StoreError;
use crate::place::Loss;
use crate::pool_limits::ACQUIRE_TIMEOUT;
use crate::pools::{Pools, require_writer};
use crate::postgres::{BEGIN_WRITE, acquire};
use crate::tx::Tx;
use crate::writer::Writer;

/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// For how long the result of a look stands for others who ask: anybody may ask, as often as they like.
const FRESH: Duration = Duration::from_millis(500);

/// What is written to find out whether the disk takes anything.
const PROBE: [u8; 4096] = [0; 4096];

/// Why the store would take no write now.
///
/// Strangers may read it, so it names neither a place nor a cause; the log does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// It cannot be reached, or does not answer in time.
    #[error("the database does not answer")]
    NoAnswer,
    /// It is a standby, or was fenced.
    #[error("the database is read-only")]
    ReadOnly,
    /// The folder is not the one that was opened.
    #[error("the data folder was removed or replaced; the server writes nothing any more")]
    FolderGone,
    /// Something else than SQLite wrote to the files, or they are damaged.
    #[error("the files of the database were overwritten or damaged; the server writes nothing any more")]
    FilesDamaged,
    /// The disk is full or broken, or the folder may not be written to.
    #[error("the disk takes no writes")]
    DiskRefuses,
}

/// The last look.
///
/// Who looks holds the lock; the others wait for the result.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastLook(Arc<Mutex<Option<Look>>>);

/// What was found, and when.
#[derive(Debug)]
struct Look {
    found: Result<(), NotReady>,
    ended: Instant,
}

impl LastLook {
    /// Finds out whether the store would take a write now; never waits for long.
    ///
    /// # Errors
    /// Says why it would not.
    pub(crate) async fn readiness(&self, pools: &Pools) -> Result<(), NotReady> {
        let mut last = self.0.lock().await;
        if let Some(look) = last.as_ref()
            && look.ended.elapsed() < FRESH
        {
            return look.found;
        }
        let found = tokio::time::timeout(PATIENCE, look(pools))
            .await
            .unwrap_or(Err(NotReady::NoAnswer));
        *last = Some(Look {
            found,
            ended: Instant::now(),
        });
        found
    }
}

async fn look(pools: &Pools) -> Result<(), NotReady> {
    match pools {
        Pools::Sqlite { place, writer, .. } => {
            place.check()?;
            if let Some(folder) = place.folder() {
                disk_takes(folder).await?;
            }
            let write = begin_write(writer.as_ref()).await;
            // What the writer found wrong with the files says more than that it refuses.
            place.check()?;
            drop(write.map_err(|error| no_answer(&error))?);
            Ok(())
        }
        Pools::Postgres(pool) => match is_read_only(pool).await {
            Ok(false) => Ok(()),
            Ok(true) => Err(NotReady::ReadOnly),
            Err(error) => Err(no_answer(&error)),
        },
    }
}

/// Begins a write of SQLite as one that writes would.
async fn begin_write(writer: Option<&Writer>) -> Result<Tx, StoreError> {
    let turn = require_writer(writer)?.turn(ACQUIRE_TIMEOUT).await?;
    let mut tx = Tx::new(Engine::SqliteWriter(turn));
    tx.require_mark().await?;
    Ok(tx)
}

impl From<Loss> for NotReady {
    fn from(loss: Loss) -> Self {
        match loss {
            Loss::Gone => Self::FolderGone,
            Loss::Damaged(_) => Self::FilesDamaged,
        }
    }
}

fn no_answer(error: &StoreError) -> NotReady {
    tracing::warn!(cause = ?error, "the database would take no write");
    NotReady::NoAnswer
}

async fn disk_takes(folder: &Path) -> Result<(), NotReady> {
    let path = folder.join("forge.probe");
    let written = tokio::task::spawn_blocking(move || write_probe(path)).await;
    match written {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) if is_short_of_descriptors(&error) => Ok(()),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the data folder cannot be written to");
            Err(NotReady::DiskRefuses)
        }
        Err(_) => Err(NotReady::NoAnswer),
    }
}

/// The database has all the files that it needs open already, so this says nothing about it.
fn is_short_of_descriptors(error: &io::Error) -> bool {
    // EMFILE and ENFILE, on every Unix.
    matches!(error.raw_os_error(), Some(23 | 24))
}

fn write_probe(path: PathBuf) -> io::Result<()> {
    let mut options = std::fs::File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&path).and_then(|mut file| {
        file.write_all(&PROBE)?;
        file.sync_data()
    });
    // What a crash leaves behind here is overwritten by the next look.
    let _ = std::fs::remove_file(path);
    written
}

/// Asks inside of a transaction like those that write, so that what the role or the database is set to counts too.
async fn is_read_only(pool: &PgPool) -> Result<bool, StoreError> {
    let mut connection = acquire(pool).await?;
    sqlx::raw_sql(BEGIN_WRITE).execute(&mut *connection).await?;
    // The pool ends the transaction when the connection comes back.
    // The tables that every write needs have to be there: another database may have come to answer at the same address.
    sqlx::raw_sql("SELECT 1 FROM organization, audit_event, version_set LIMIT 0")
        .execute(&mut *connection)
        .await?;
    let found =
        sqlx::query_scalar("SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::BOOLEAN");
    Ok(found.fetch_one(&mut *connection).await?)
}
