//! What a run of the tests made that is secret, and what it wrote.
//!
//! Where `FORGE_TEST_RECORD_DIR` names a folder, as `./scripts/test` does, every test adds to it: the secrets that it
//! made or presented, and what must not hold any of them: logs, error bodies, audit rows, what programs said. When all
//! tests are done, [`crate::search`] looks for the ones in the others. Without the variable nothing is kept.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, Once, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::search::SHORTEST;

/// How much of a process's log is kept, in bytes: some tests write without end.
const LONGEST_LOG: usize = 16 * 1024 * 1024;

static FOLDER: LazyLock<Option<PathBuf>> =
    LazyLock::new(|| std::env::var_os("FORGE_TEST_RECORD_DIR").map(PathBuf::from));

/// Returns `true` if anything is kept.
pub fn is_on() -> bool {
    FOLDER.is_some()
}

/// Notes a secret that a test made.
///
/// # Panics
/// If it is too short to be told from other text.
pub fn secret(kind: &str, value: &str) {
    static KNOWN: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);
    let Some(folder) = &*FOLDER else { return };
    assert!(
        value.len() >= SHORTEST,
        "a {kind} of {} bytes cannot be recognised",
        value.len()
    );
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known.insert(value.to_owned()) {
        append(
            &folder.join("secrets").join(name("all")),
            format!("{kind}\t{value}\n").as_bytes(),
        );
    }
}

/// Notes a secret that is no text, in every form that it could be written in.
pub fn secret_bytes(kind: &str, bytes: &[u8]) {
    secret(kind, &STANDARD.encode(bytes));
    secret(kind, &URL_SAFE_NO_PAD.encode(bytes));
    secret(kind, &forge_domain::hex(bytes));
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    secret(kind, &numbers.join(", "));
}

/// Notes what a request brought along to prove who sends it, and what the answer gave: all that is long enough to be
/// guarded.
pub(crate) fn credentials<'a>(
    headers: impl Iterator<Item = (&'a str, &'a str)>,
    sent: &[u8],
    received: &Value,
) {
    if !is_on() {
        return;
    }
    for (header, value) in headers {
        if !["authorization", "x-api-key"].contains(&header.to_ascii_lowercase().as_str()) {
            continue;
        }
        let value = value.rsplit(' ').next().unwrap_or_default();
        if value.len() >= SHORTEST {
            secret(
                if header.eq_ignore_ascii_case("x-api-key") {
                    "API key"
                } else {
                    "token"
                },
                value,
            );
        }
    }
    for (field, kind) in [("api_key", "API key"), ("id_token", "token")] {
        if let Some(value) = received[field].as_str() {
            secret(kind, value);
        }
    }
    let sent: Value = serde_json::from_slice(sent).unwrap_or_default();
    let variables = sent["sensitive_user_variables"].as_object();
    // Only who was invited has variables.
    if received["user_id"].is_string() {
        for value in variables
            .into_iter()
            .flat_map(|fields| fields.values())
            .filter_map(Value::as_str)
        {
            secret("sensitive variable", value);
        }
    }
}

/// Keeps something that was written and must not hold a secret.
///
/// The kind tells what it is.
pub fn written(kind: &str, text: &[u8]) {
    if let Some(folder) = &*FOLDER {
        append(&folder.join("written").join(name(kind)), &[text, b"\n"].concat());
    }
}

/// Keeps what this process logs from now on, down to the least detail.
pub fn log() {
    static START: Once = Once::new();
    let Some(folder) = &*FOLDER else { return };
    START.call_once(|| {
        let file = open(&folder.join("written").join(name("log")));
        let room = AtomicUsize::new(LONGEST_LOG);
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(Arc::new(Log { file, room }))
            .finish();
        // A test that listens by itself keeps what it hears.
        let _ = tracing::subscriber::set_global_default(subscriber);
    });
}

/// A file that grows only so far.
struct Log {
    file: File,
    room: AtomicUsize,
}

impl Write for &Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        let take = |room: usize| room.checked_sub(text.len());
        if self
            .room
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
            .is_ok()
        {
            (&self.file).write_all(text)?;
        }
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Returns the name of this process's file: what is in it, and which test wrote it.
fn name(kind: &str) -> String {
    let test = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'))
        .unwrap_or_default();
    format!("{kind}~{}~{}", test.replace("::", "."), std::process::id())
}

fn open(path: &Path) -> File {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}

fn append(path: &Path, text: &[u8]) {
    open(path).write_all(text).unwrap();
}
