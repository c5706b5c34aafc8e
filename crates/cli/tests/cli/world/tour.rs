//! A running `forge quickstart`.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::process::forge;

pub(super) struct Tour {
    child: Child,
    pub(super) address: String,
    exports: BTreeMap<String, String>,
    /// Holds what it keeps, which it cannot remove itself when it is killed.
    _folder: tempfile::TempDir,
}

impl Tour {
    /// Starts it and waits until everything was shown.
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = forge();
        command.arg("quickstart").env("TMPDIR", folder.path());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut exports = BTreeMap::new();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for line in lines.map(Result::unwrap) {
            if let Some((name, value)) = line
                .strip_prefix("export FORGE_")
                .and_then(|rest| rest.split_once('='))
            {
                exports.insert(name.to_lowercase(), value.to_owned());
            }
            // The last of them.
            if exports.contains_key("api_key") {
                break;
            }
        }
        let address = exports.remove("base_url").unwrap();
        Self {
            child,
            address,
            exports,
            _folder: folder,
        }
    }

    /// What identifies the user.
    pub(super) fn credentials(&self) -> Value {
        json!(self.exports)
    }
}

impl Drop for Tour {
    fn drop(&mut self) {
        // Of a server that has ended, there is nothing left to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
