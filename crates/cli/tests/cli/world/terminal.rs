//! A terminal, and somebody who types.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, open};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::process::PATIENCE;

/// A line, and what is typed when something is asked.
pub(crate) struct Typed {
    pub(crate) line: String,
    answers: Vec<(&'static str, Answer)>,
}

enum Answer {
    Keys(&'static str),
    /// Waits until what is typed is not shown.
    Secret(&'static str),
    /// Does something else first.
    After(Box<dyn Fn()>, &'static str),
}

impl Typed {
    pub(crate) fn new(line: impl Into<String>) -> Self {
        Self {
            line: line.into(),
            answers: Vec::new(),
        }
    }

    /// Types these keys once this question is seen.
    pub(crate) fn answer(mut self, question: &'static str, keys: &'static str) -> Self {
        self.answers.push((question, Answer::Keys(keys)));
        self
    }

    /// Types these keys once this question is seen and the terminal does not show what is typed.
    pub(crate) fn secret(mut self, question: &'static str, keys: &'static str) -> Self {
        self.answers.push((question, Answer::Secret(keys)));
        self
    }

    /// Does something once this question is seen, and types these keys then.
    pub(crate) fn answer_after(
        mut self,
        question: &'static str,
        meanwhile: impl Fn() + 'static,
        keys: &'static str,
    ) -> Self {
        self.answers
            .push((question, Answer::After(Box::new(meanwhile), keys)));
        self
    }
}

/// Runs a line on a terminal of 120 columns.
///
/// Returns what is seen there and the exit code.
pub(super) fn run(typed: &Typed, folder: &Path, environment: &[(String, String)]) -> (String, i32) {
    let (mut pty, pts) = open().unwrap();
    pty.resize(Size::new(40, 120)).unwrap();
    keep_output(&pty);
    let command = Command::new("bash")
        .args(["-c", &typed.line])
        .current_dir(folder)
        .env_clear()
        .envs(environment.iter().cloned());
    let mut child = command.spawn(pts).unwrap();
    let mut bytes = Vec::new();
    let mut seen = String::new();
    let mut answers = typed.answers.iter();
    let mut next = answers.next();
    let mut buffer = [0; 4096];
    // The end of a terminal is an error on Linux.
    while let Ok(count @ 1..) = pty.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..count]);
        // What was read may end within a character.
        seen = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((question, answer)) = next
            && seen.contains(question)
        {
            let keys = match answer {
                Answer::Keys(keys) => keys,
                Answer::Secret(keys) => {
                    wait_for_silence(&pty);
                    keys
                }
                Answer::After(meanwhile, keys) => {
                    meanwhile();
                    keys
                }
            };
            pty.write_all(keys.as_bytes()).unwrap();
            next = answers.next();
        }
    }
    let status = child.wait().unwrap();
    let code = status
        .code()
        .unwrap_or_else(|| panic!("{}: {status}\n{seen}", typed.line));
    assert!(next.is_none(), "`{}` was never asked:\n{seen}", next.unwrap().0);
    (seen.replace("\r\n", "\n").replace('\u{1b}', "␛"), code)
}

/// Keeps what was printed when Ctrl-C is pressed.
///
/// Otherwise the terminal throws it away, and at times what is printed right afterwards, too.
fn keep_output(pty: &pty_process::blocking::Pty) {
    let mut modes = tcgetattr(pty).unwrap();
    modes.local_modes.insert(LocalModes::NOFLSH);
    tcsetattr(pty, OptionalActions::Now, &modes).unwrap();
}

/// Waits until the terminal does not show what is typed.
fn wait_for_silence(pty: &pty_process::blocking::Pty) {
    let deadline = Instant::now() + PATIENCE;
    while tcgetattr(pty).unwrap().local_modes.contains(LocalModes::ECHO) {
        assert!(Instant::now() < deadline, "what is typed is shown all the time");
        std::thread::sleep(Duration::from_millis(5));
    }
}
