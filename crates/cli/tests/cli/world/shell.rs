//! A user's shell, in a directory of their own.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::redact;
use super::terminal::{self, Typed};

/// A shell without any variables of the test's own environment.
pub(crate) struct Shell {
    folder: tempfile::TempDir,
    /// The variables of the user's shell, beside the usual ones.
    variables: Vec<(String, String)>,
    /// What is replaced in transcripts, and by what.
    hidden: Vec<(String, &'static str)>,
}

impl Shell {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
            hidden: Vec::new(),
        }
    }

    /// Replaces something in transcripts that differs from run to run.
    pub(crate) fn hide(&mut self, found: &str, word: &'static str) {
        self.hidden.push((found.to_owned(), word));
    }

    /// Sets a variable of the user's shell.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// The user's working directory, which is their home, too.
    pub(crate) fn home(&self) -> &Path {
        self.folder.path()
    }

    /// The environment of the user's shell.
    fn environment(&self) -> Vec<(String, String)> {
        let binary = PathBuf::from(env!("CARGO_BIN_EXE_forge"));
        let path = format!(
            "{}:/usr/local/bin:/usr/bin:/bin",
            binary.parent().unwrap().display()
        );
        let usual = [
            ("PATH", path),
            ("HOME", self.home().display().to_string()),
            ("TERM", "xterm".to_owned()),
        ];
        let usual = usual.map(|(name, value)| (name.to_owned(), value));
        usual.into_iter().chain(self.variables.iter().cloned()).collect()
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new("bash");
        command
            .args(["-c", line])
            .current_dir(self.home())
            .env_clear()
            .envs(self.environment())
            .stdin(Stdio::null());
        command
    }

    /// Runs a line of shell without a terminal.
    pub(crate) fn shell(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// Returns what runs a line of shell later, with the variables of now.
    ///
    /// It must go well.
    pub(crate) fn later(&self, line: &str) -> impl FnOnce() + Send + 'static {
        let mut command = self.command(line);
        move || {
            let output = command.output().unwrap();
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{error}");
        }
    }

    /// Runs a line of shell that must go well and returns what it printed.
    #[track_caller]
    pub(crate) fn ok(&self, line: &str) -> String {
        let output = self.shell(line);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "$ {line}\n{error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs lines in a pipe and returns the transcript: what went to stdout, to stderr, and the exit code.
    pub(crate) fn pipe(&self, lines: &[&str]) -> String {
        let mut transcript = String::new();
        for line in lines {
            let output = self.shell(line);
            let part = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            write!(transcript, "$ {line}\n{}", part(&output.stdout)).unwrap();
            for line in part(&output.stderr).lines() {
                writeln!(transcript, "stderr| {line}").unwrap();
            }
            writeln!(transcript, "exit {}\n", output.status.code().unwrap()).unwrap();
        }
        self.redacted(&transcript)
    }

    /// Runs lines on a terminal and returns the transcript: what is seen there, with the exit code.
    pub(crate) fn terminal(&self, lines: &[Typed]) -> String {
        let mut transcript = String::new();
        for typed in lines {
            let (seen, code) = terminal::run(typed, self.home(), &self.environment());
            writeln!(transcript, "$ {}\n{seen}exit {code}\n", typed.line).unwrap();
        }
        self.aligned(&transcript)
    }

    /// Runs a line on a terminal and returns what is seen there.
    pub(crate) fn seen(&self, line: &str) -> String {
        terminal::run(&Typed::new(line), self.home(), &self.environment()).0
    }

    /// Replaces what differs from run to run, the width of columns included.
    pub(crate) fn aligned(&self, text: &str) -> String {
        redact::alignment(&self.redacted(text))
    }

    fn redacted(&self, text: &str) -> String {
        let home = (self.home().display().to_string(), "/home/user");
        let places: Vec<_> = [home].into_iter().chain(self.hidden.iter().cloned()).collect();
        redact::all(text, &places)
    }
}
