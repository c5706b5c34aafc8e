//! Running the binary.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use forge_testkit::{TestDatabase, record};
use serde_json::Value;

/// How long anything may take before the test counts as hung.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Returns the binary with a clean environment: no option of the caller's reaches it.
pub(crate) fn forge() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_forge"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("FORGE_") || name.to_string_lossy().starts_with("AMIGO_") {
            command.env_remove(name);
        }
    }
    command
}

/// Returns the options that name the database and its master key.
pub(crate) fn location(database: &TestDatabase) -> Vec<String> {
    let key = database.folder.path().join("keys/master.key");
    let mut options = database.flags.to_vec();
    options.extend(["--master-key-file".to_owned(), key.display().to_string()]);
    options
}

/// Runs a command to its end.
pub(crate) fn run(arguments: &[&str], location: &[String]) -> Output {
    let output = forge().args(arguments).args(location).output().unwrap();
    record::written("stderr", &output.stderr);
    output
}

/// Returns what the command said on stderr, and ensures that it failed with one clear line.
#[track_caller]
pub(crate) fn one_line_error(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{text}");
    assert!(output.stdout.is_empty());
    errors[0].to_owned()
}

/// Creates an organization and returns what was printed.
#[track_caller]
pub(crate) fn init(organization: &str, location: &[String]) -> Value {
    let output = run(&["init", "--organization", organization, "--json"], location);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let credentials: Value = serde_json::from_slice(&output.stdout).unwrap();
    record::secret("API key", credentials["api_key"].as_str().unwrap());
    if let Some(key) = master_key(location) {
        record::secret("master key", key.trim());
    }
    credentials
}

/// Returns what is in the file of the master key, where the options name it.
fn master_key(location: &[String]) -> Option<String> {
    let named = |option: &str| {
        let at = location.iter().position(|text| text == option)?;
        location.get(at + 1).map(std::path::PathBuf::from)
    };
    let file = named("--master-key-file").or_else(|| Some(named("--data-dir")?.join("master.key")))?;
    std::fs::read_to_string(file).ok()
}

/// A running server.
pub(crate) struct Serving {
    child: Child,
    /// What it writes to stderr, read all the time so that it never waits for us.
    log: Option<JoinHandle<String>>,
    /// Its address: `http://127.0.0.1:port`.
    pub(crate) address: String,
}

impl Serving {
    /// Starts a server on a free port and waits for its first line.
    pub(crate) fn start(location: &[String]) -> Self {
        Self::start_logging("info", location)
    }

    /// The same, with a log as detailed as wanted; where the log is kept for a search, with all there is.
    pub(crate) fn start_logging(level: &str, location: &[String]) -> Self {
        let level = if record::is_on() { "trace" } else { level };
        let mut command = forge();
        command
            .env("FORGE_LOG", level)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(location);
        Self::spawn(command)
    }

    /// Starts a server that admits as many calls as come, and logs what is out of the ordinary.
    pub(crate) fn start_without_rate_limits(location: &[String]) -> Self {
        Self::start_with(&["--no-rate-limits"], location)
    }

    /// Starts a server with more options, that logs what is out of the ordinary.
    pub(crate) fn start_with(options: &[&str], location: &[String]) -> Self {
        let mut command = forge();
        command
            .env("FORGE_LOG", "warn")
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(options)
            .args(location);
        Self::spawn(command)
    }

    /// Starts a server none of whose files may grow beyond so many blocks of 1024 bytes.
    pub(crate) fn start_with_file_limit(location: &[String], blocks: u32) -> Self {
        let forge = forge();
        let mut command = Command::new("bash");
        // What the limit stops is told by an error, not by a signal, as on a full disk.
        let script = format!("trap '' XFSZ; ulimit -S -f {blocks}; exec \"$0\" \"$@\"");
        command.args(["-c", &script]).arg(forge.get_program());
        command
            .args(["serve", "--no-rate-limits", "--listen", "127.0.0.1:0"])
            .args(location);
        Self::spawn(command)
    }

    /// Returns the id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lets the files of a running server grow again.
    pub(crate) fn lift_file_limit(&self) {
        self.set_limit("--fsize=unlimited");
    }

    /// Lets no file of a running server be written to.
    pub(crate) fn refuse_writes(&self) {
        self.set_limit("--fsize=0:");
    }

    fn set_limit(&self, limit: &str) {
        let process = format!("--pid={}", self.child.id());
        let status = Command::new("prlimit").args([&process, limit]).status();
        assert!(status.unwrap().success());
    }

    /// Starts a server that may have so many files open, and raise that to so many.
    pub(crate) fn start_with_open_files(soft: u32, hard: u32, location: &[String]) -> Self {
        let forge = forge();
        let mut command = Command::new("prlimit");
        command
            .env("FORGE_LOG", "info")
            .arg(format!("--nofile={soft}:{hard}"))
            .arg(forge.get_program())
            .args(["serve", "--no-rate-limits", "--listen", "127.0.0.1:0"])
            .args(location);
        Self::spawn(command)
    }

    /// Sets how many files a running server may have open.
    pub(crate) fn limit_open_files(&self, soft: usize) {
        self.set_limit(&format!("--nofile={soft}:"));
    }

    /// Sets how many bytes the files of a running server may have.
    pub(crate) fn limit_file_size(&self, soft: &str) {
        self.set_limit(&format!("--fsize={soft}:"));
    }

    /// Returns the numbers of the files that the server has open.
    pub(crate) fn open_files(&self) -> Vec<usize> {
        let listed = std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap();
        listed
            .map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap())
            .collect()
    }

    /// Starts a server by a command of its own, and waits for its first line.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).unwrap();
            record::written("server log", log.as_bytes());
            log
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line.trim_end().strip_prefix("listening on ").map(str::to_owned);
        let Some(address) = address else {
            panic!("no address but `{line}`: {}", log.join().unwrap());
        };
        Self {
            child,
            log: Some(log),
            address,
        }
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    /// Waits for the end and returns how it ended and what was logged.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        let log = self.log.take().unwrap().join().unwrap();
        (status, log)
    }

    /// Stops the server as an operator would, and ensures that it ended well.
    ///
    /// Returns what was logged.
    pub(crate) fn stop(self) -> String {
        self.signal("TERM");
        let (status, log) = self.wait();
        assert_eq!(status.code(), Some(0), "{log}");
        log
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Of a server that has ended, there is nothing left to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
