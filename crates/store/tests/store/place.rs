//! Files of the embedded database that go away, or are changed by something else than SQLite, while they are in use.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use forge_domain::OrganizationId;
use forge_domain::asset::AssetId;
use forge_store::{NotReady, OpenMode, Store, StoreError, WriteTx};
use forge_testkit::{Dice, TestDatabase};

use crate::fresh::{NOW, fresh};

/// A store with one organization.
struct Fixture {
    database: TestDatabase,
    store: Store,
    organization: OrganizationId,
}

impl Fixture {
    async fn start() -> Self {
        let (database, store, organization) = fresh().await;
        Self {
            database,
            store,
            organization,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.database.folder.path().join("data").join(name)
    }

    async fn begin(&self) -> Result<WriteTx, StoreError> {
        let write = self.store.write(&self.organization, NOW).await?;
        Ok(write.unwrap())
    }

    /// Begins a write that changes something.
    async fn begin_with_asset(&self) -> Result<WriteTx, StoreError> {
        let mut write = self.begin().await?;
        let name = format!("{:024x}", write.change_number());
        let id = AssetId::Agent(name.parse().unwrap());
        write.insert_asset(id, &name).await?;
        Ok(write)
    }

    async fn write(&self) -> Result<i64, StoreError> {
        self.begin_with_asset().await?.commit().await
    }
}

fn assert_unavailable<T: std::fmt::Debug>(result: Result<T, StoreError>, what: &str) {
    assert!(
        matches!(result, Err(StoreError::Unavailable(_))),
        "{what}: {result:?}"
    );
}

/// Ways to change a file in place: what it is called, and what is written, given the file and an older copy of it.
type Change = (&'static str, fn(&Path, &[u8]));

const CHANGES: [Change; 6] = [
    ("an older copy", |path, older| {
        // Without cutting it first, which ends a process that has it in its memory.
        let mut file = File::options().write(true).open(path).unwrap();
        std::io::Write::write_all(&mut file, older).unwrap();
        file.set_len(older.len().try_into().unwrap()).unwrap();
    }),
    ("zeros", |path, _| overwrite(path, |bytes| bytes.fill(0))),
    ("random bytes", |path, _| {
        overwrite(path, |bytes| {
            let mut dice = Dice::new(7);
            bytes.fill_with(|| u8::try_from(dice.below(256)).unwrap());
        });
    }),
    ("a flipped bit", |path, _| {
        overwrite(path, |bytes| bytes[100] ^= 1);
    }),
    ("empty", |path, _| cut(path, 0)),
    ("its first page", |path, _| cut(path, 4096)),
];

/// Writes other bytes over those of a file, as `dd conv=notrunc` does.
fn overwrite(path: &Path, change: impl Fn(&mut [u8])) {
    use std::io::Write as _;
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    let mut file = File::options().write(true).open(path).unwrap();
    file.write_all(&bytes).unwrap();
}

fn cut(path: &Path, length: u64) {
    File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(length)
        .unwrap();
}

/// The files that SQLite writes to.
const FILES: [&str; 3] = ["forge.db", "forge.db-wal", "forge.db-shm"];

/// What cannot be tried of the index: that byte is one that SQLite itself takes for a hint, and whoever touches an
/// index that was cut is ended by the system, which the writer may do between two writes.
fn is_left_out(file: &str, change: &str) -> bool {
    file == "forge.db-shm" && ["a flipped bit", "empty", "its first page"].contains(&change)
}

#[tokio::test]
async fn nothing_is_written_to_files_that_something_else_wrote_to() {
    for file in FILES {
        for (change, make) in CHANGES {
            let what = format!("{file} became {change}");
            if is_left_out(file, change) {
                continue;
            }
            let fixture = Fixture::start().await;
            fixture.write().await.unwrap();
            let older = std::fs::read(fixture.file(file)).unwrap();
            fixture.write().await.unwrap();
            make(&fixture.file(file), &older);
            assert_unavailable(fixture.write().await, &what);
            assert_eq!(
                fixture.store.readiness().await,
                Err(NotReady::FilesDamaged),
                "{what}"
            );
            assert_unavailable(fixture.store.read().await.map(drop), &what);
            let left = FILES.map(|name| std::fs::read(fixture.file(name)).unwrap());
            fixture.store.close().await;
            let closed = FILES.map(|name| std::fs::read(fixture.file(name)).unwrap());
            assert_eq!(
                closed[..2],
                left[..2],
                "{what}: what somebody put there stays as it is"
            );
        }
    }
}

#[tokio::test]
async fn nothing_is_committed_to_files_that_something_else_wrote_to_meanwhile() {
    // Who touches an index that was cut is killed, so that is seen only before anybody does.
    for file in ["forge.db", "forge.db-wal"] {
        for (change, make) in CHANGES {
            let what = format!("{file} became {change}");
            let fixture = Fixture::start().await;
            fixture.write().await.unwrap();
            let older = std::fs::read(fixture.file(file)).unwrap();
            fixture.write().await.unwrap();
            let write = fixture.begin_with_asset().await.unwrap();
            make(&fixture.file(file), &older);
            assert_unavailable(write.commit().await, &what);
            assert_unavailable(fixture.write().await, &what);
        }
    }
}

#[tokio::test]
async fn a_look_notices_it_before_anybody_writes() {
    let fixture = Fixture::start().await;
    assert_eq!(fixture.store.readiness().await, Ok(()));
    overwrite(&fixture.file("forge.db"), |bytes| bytes.fill(0));
    assert_unavailable(fixture.store.read().await.map(drop), "read");
}

#[tokio::test]
async fn whatever_sqlite_does_to_its_files_is_no_damage() {
    let fixture = Fixture::start().await;
    // Other connections write, and copy the log into the database.
    for sql in [
        "UPDATE organization SET name = 'Other'",
        "PRAGMA wal_checkpoint(PASSIVE)",
        "PRAGMA wal_checkpoint(RESTART)",
        "UPDATE organization SET name = 'Acme'; PRAGMA wal_checkpoint(TRUNCATE)",
        "VACUUM",
        "PRAGMA wal_checkpoint(FULL)",
    ] {
        fixture.database.tamper(sql).await;
        fixture.write().await.unwrap();
        fixture.database.tamper(sql).await;
        assert_eq!(fixture.store.readiness().await, Ok(()), "{sql}");
    }
    // Much that is undone spills into the log, and much that is kept is copied into the database at once.
    for is_kept in [false, true, false, true] {
        let mut write = fixture.begin_with_asset().await.unwrap();
        let name = "n".repeat(1 << 20);
        for number in 0..24 {
            let id = format!("{:020}{:04}", write.change_number(), number);
            write
                .insert_asset(AssetId::Agent(id.parse().unwrap()), &format!("{id}{name}"))
                .await
                .unwrap();
        }
        if is_kept {
            write.commit().await.unwrap();
        } else {
            drop(write);
        }
        fixture.write().await.unwrap();
    }
    let Fixture { database, store, .. } = fixture;
    store.close().await;
    drop(store);
    Store::open(&database.url, OpenMode::MustExist).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_log_whose_time_was_set_back_is_looked_at_all_the_same() {
    use std::os::unix::fs::MetadataExt as _;
    let fixture = Fixture::start().await;
    fixture.write().await.unwrap();
    fixture.write().await.unwrap();
    let path = fixture.file("forge.db-wal");
    let before = std::fs::metadata(&path).unwrap();
    overwrite(&path, |bytes| bytes[5000] ^= 1);
    let log = File::options().write(true).open(&path).unwrap();
    let touched = |file: &std::fs::Metadata| (file.ctime(), file.ctime_nsec());
    // The clock of file systems may stand still for a few milliseconds.
    while touched(&log.metadata().unwrap()) == touched(&before) {
        log.set_modified(before.modified().unwrap()).unwrap();
    }
    log.set_modified(before.modified().unwrap()).unwrap();
    assert_that_nothing_is_told_or_taken(&fixture, "a flipped bit, with the time set back").await;
}

/// Copies what is in the files of a database that is open.
fn snapshot(fixture: &Fixture) -> [Vec<u8>; 3] {
    FILES.map(|name| std::fs::read(fixture.file(name)).unwrap())
}

/// Overwrites all files in place by others, which fit each other.
fn put(fixture: &Fixture, snapshot: &[Vec<u8>; 3]) {
    let (_, older_copy) = CHANGES[0];
    for (name, bytes) in FILES.iter().zip(snapshot) {
        older_copy(&fixture.file(name), bytes);
    }
}

async fn assert_that_nothing_is_told_or_taken(fixture: &Fixture, what: &str) {
    assert_unavailable(fixture.store.read().await.map(drop), what);
    assert_unavailable(fixture.write().await, what);
    assert_eq!(
        fixture.store.readiness().await,
        Err(NotReady::FilesDamaged),
        "{what}"
    );
    let left = snapshot(fixture);
    fixture.store.close().await;
    assert!(
        snapshot(fixture) == left,
        "{what}: what somebody put there stays as it is"
    );
}

#[tokio::test]
async fn another_database_in_the_place_of_the_one_that_was_opened_is_noticed_whatever_its_numbers_are() {
    let other = Fixture::start().await;
    for _ in 0..9 {
        other.write().await.unwrap();
    }
    let fixture = Fixture::start().await;
    fixture.write().await.unwrap();
    put(&fixture, &snapshot(&other));
    assert_that_nothing_is_told_or_taken(&fixture, "of another store").await;
}

#[tokio::test]
async fn the_database_of_an_earlier_run_is_noticed_whatever_its_numbers_are() {
    let mut fixture = Fixture::start().await;
    for _ in 0..9 {
        fixture.write().await.unwrap();
    }
    let earlier = snapshot(&fixture);
    fixture.store.close().await;
    drop(fixture.store);
    fixture.store = Store::open(&fixture.database.url, OpenMode::MustExist)
        .await
        .unwrap();
    fixture.write().await.unwrap();
    put(&fixture, &earlier);
    assert_that_nothing_is_told_or_taken(&fixture, "of an earlier run").await;
}

#[tokio::test]
async fn a_write_whose_database_became_another_one_is_not_acknowledged() {
    let other = Fixture::start().await;
    for _ in 0..9 {
        other.write().await.unwrap();
    }
    let fixture = Fixture::start().await;
    fixture.write().await.unwrap();
    let write = fixture.begin_with_asset().await.unwrap();
    put(&fixture, &snapshot(&other));
    write.commit().await.unwrap_err();
    assert_that_nothing_is_told_or_taken(&fixture, "during a write").await;
}

#[tokio::test]
async fn a_log_whose_bytes_are_the_same_is_no_damage() {
    let fixture = Fixture::start().await;
    fixture.write().await.unwrap();
    let log = File::options()
        .write(true)
        .open(fixture.file("forge.db-wal"))
        .unwrap();
    log.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    fixture.write().await.unwrap();
    assert_eq!(fixture.store.readiness().await, Ok(()));
}

#[tokio::test]
async fn a_write_whose_files_went_away_before_its_commit_is_none() {
    let fixture = Fixture::start().await;
    let Fixture { database, store, .. } = &fixture;
    let (data, away) = (
        database.folder.path().join("data"),
        database.folder.path().join("away"),
    );
    let write = fixture.begin_with_asset().await.unwrap();
    let number = write.change_number();
    std::fs::rename(&data, &away).unwrap();
    assert_unavailable(write.commit().await, "commit");
    assert_unavailable(fixture.begin().await.map(drop), "begin");
    assert_eq!(store.readiness().await, Err(NotReady::FolderGone));

    std::fs::rename(&away, &data).unwrap();
    let write = fixture.begin().await.unwrap();
    assert_eq!(write.change_number(), number, "nothing of the write was kept");
    drop(write);
    store.close().await;
}
