//! Whether what is in the files of the embedded database is what SQLite wrote there.
//!
//! SQLite does not notice that somebody else writes into a file which it has open: it goes on from what it remembers,
//! and the next start finds something else. Three things are held against each other: when and how long the files are by
//! the file system, the head of the index of the log, and the log, whose frames hold checksums over all before them.

use std::fs::{File, Metadata};
use std::io;
use std::mem::ManuallyDrop;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::file::read_exact_at;
use crate::log_file::{has_ends, is_whole};
use crate::log_index::LogIndex;

/// How often to look again while others of SQLite's processes write: each writes the head of the index in a moment.
const ATTEMPTS: usize = 1000;

/// What a database begins with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// What is wrong.
///
/// It stays so until the store is opened again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Damage {
    #[error("forge.db was changed by something else than SQLite")]
    Database,
    #[error("forge.db-wal, the log of the database, was changed by something else than SQLite")]
    Log,
    #[error("forge.db-shm, the index of the database's log, was changed by something else than SQLite")]
    Index,
    #[error("SQLite found that the database is damaged")]
    Found,
    #[error("another database is in the place of the one that was opened")]
    Replaced,
}

/// The files, and how they were when somebody last looked.
#[derive(Debug)]
pub(crate) struct Contents {
    // Closing a file ends all locks that the process has on it, SQLite's too, so these stay open until it ends.
    database: ManuallyDrop<File>,
    log: ManuallyDrop<File>,
    index: ManuallyDrop<File>,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    state: State,
    damage: Option<Damage>,
    /// Whether this process changes the files at the moment.
    is_committing: bool,
}

/// How the files are at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    index: LogIndex,
    index_bytes: u64,
    log: Stamp,
    log_touched: Touched,
    database: Stamp,
    database_head: [u8; 100],
}

/// What the file system says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    changed: Option<SystemTime>,
}

/// When anything about a file was changed last, be it its time of change: nobody can set this one back.
///
/// It changes with rights, too, so it says of the log alone, which can be read, that one has to look.
type Touched = (i64, i64);

#[cfg(unix)]
fn touched(metadata: &Metadata) -> Touched {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn touched(_: &Metadata) -> Touched {
    (0, 0)
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Self {
        Self {
            bytes: metadata.len(),
            changed: metadata.modified().ok(),
        }
    }
}

impl Contents {
    /// Looks at the files of a folder, whose database is open and at rest.
    ///
    /// Returns `None` where they cannot be looked into while SQLite has them open.
    pub(crate) fn of(folder: &Path) -> io::Result<Option<Self>> {
        let open = |name| File::open(folder.join(name)).map(ManuallyDrop::new);
        let (database, log, index) = (open("forge.db")?, open("forge.db-wal")?, open("forge.db-shm")?);
        let Ok(Some(found)) = LogIndex::read(&index) else {
            return Ok(None);
        };
        if !is_whole(&log, &found).unwrap_or(false) {
            return Ok(None);
        }
        let log_metadata = log.metadata()?;
        let state = State {
            index: found,
            index_bytes: index.metadata()?.len(),
            log: Stamp::from(&log_metadata),
            log_touched: touched(&log_metadata),
            database: Stamp::from(&database.metadata()?),
            database_head: head(&database)?,
        };
        let seen = Mutex::new(Seen {
            state,
            damage: None,
            is_committing: false,
        });
        Ok(Some(Self {
            database,
            log,
            index,
            seen,
        }))
    }

    /// Returns what is wrong with the files, if anything is.
    pub(crate) fn check(&self) -> Result<(), Damage> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        self.look(&mut seen, is_whole)
    }

    /// Says that this process is about to change the files.
    pub(crate) fn begin_commit(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.is_committing = true;
    }

    /// Says that it is done with that, and returns what is wrong with the files, if anything is.
    ///
    /// What was in the log before was looked at before.
    pub(crate) fn end_commit(&self) -> Result<(), Damage> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.is_committing = false;
        self.look(&mut seen, |_, _| Ok(true))
    }

    /// Notes what was found wrong through SQLite.
    pub(crate) fn note(&self, damage: Damage) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.damage.get_or_insert(damage);
    }

    fn look(&self, seen: &mut Seen, is_log_right: LogCheck) -> Result<(), Damage> {
        if let Some(damage) = seen.damage {
            return Err(damage);
        }
        let found = if seen.is_committing {
            self.index_bytes(&seen.state).map(|_| None)
        } else {
            self.state_after(&seen.state, is_log_right).map(Some)
        };
        match found {
            Ok(state) => seen.state = state.unwrap_or_else(|| seen.state.clone()),
            Err(damage) => seen.damage = Some(damage),
        }
        seen.damage.map_or(Ok(()), Err)
    }

    /// Whoever touches the index, which SQLite has mapped into memory, after it was cut is killed by the system.
    fn index_bytes(&self, before: &State) -> Result<u64, Damage> {
        let bytes = self.index.metadata().map_err(|_| Damage::Index)?.len();
        if bytes < before.index_bytes {
            return Err(Damage::Index);
        }
        Ok(bytes)
    }

    /// Returns how the files are now, if SQLite can have brought them there.
    fn state_after(&self, before: &State, is_log_right: LogCheck) -> Result<State, Damage> {
        let index_bytes = self.index_bytes(before)?;
        let mut damage = Damage::Index;
        for _ in 0..ATTEMPTS {
            let Some(index) = self.read_index()? else {
                std::thread::yield_now();
                continue;
            };
            match self.compare(before, index, is_log_right) {
                Ok(state) => return Ok(State { index_bytes, ..state }),
                Err(found) => damage = found,
            }
            // Unless somebody else's process wrote while this one looked, that is what is wrong.
            if self.read_index()? == Some(index) {
                break;
            }
        }
        Err(damage)
    }

    fn read_index(&self) -> Result<Option<LogIndex>, Damage> {
        LogIndex::read(&self.index).map_err(|_| Damage::Index)
    }

    fn compare(&self, before: &State, index: LogIndex, is_log_right: LogCheck) -> Result<State, Damage> {
        if !index.follows(&before.index) {
            return Err(Damage::Index);
        }
        let log = self.log.metadata().map_err(|_| Damage::Log)?;
        let (log, log_touched) = (Stamp::from(&log), touched(&log));
        let is_same =
            (log, log_touched) == (before.log, before.log_touched) && index.log() == before.index.log();
        let is_right = has_ends(&self.log, &index).unwrap_or(false)
            && (is_same || is_log_right(&self.log, &index).unwrap_or(false));
        if !is_right {
            return Err(Damage::Log);
        }
        let database = self.database.metadata().map_err(|_| Damage::Database)?;
        let database = Stamp::from(&database);
        let database_head = head(&self.database).map_err(|_| Damage::Database)?;
        let is_same = database == before.database && database_head == before.database_head;
        if !database_head.starts_with(MAGIC) || (!is_same && index.has_filled_nothing_since(&before.index)) {
            return Err(Damage::Database);
        }
        Ok(State {
            index,
            log,
            log_touched,
            database,
            database_head,
            ..before.clone()
        })
    }
}

/// How the content of a log that has changed is looked at.
type LogCheck = fn(&File, &LogIndex) -> io::Result<bool>;

fn head(database: &File) -> io::Result<[u8; 100]> {
    let mut head = [0; 100];
    read_exact_at(database, &mut head, 0)?;
    Ok(head)
}
