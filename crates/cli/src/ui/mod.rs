//! What people and programs see of the commands that talk to a server.
//!
//! Data goes to stdout, everything else to stderr. A terminal gets tables, colour and relative times; a pipe gets lines
//! of fields separated by tabs, with full times; `--json` gets the document that the server sent.

pub(crate) mod diff;
mod style;
mod table;
mod text;
mod time;
pub(crate) mod values;

use std::io::{self, IsTerminal as _, Write as _};

use forge_client::SystemClock;
use forge_domain::{Clock as _, Timestamp};
use rustix::termios::{QueueSelector, tcflush};
use serde_json::Value;
use serde_json::value::RawValue;

pub(crate) use style::Style;
use text::cut;
pub(crate) use text::{escaped_json, folded, plain, quoted};

use crate::error::{Exit, Failure, Result};
use crate::{input, output};

/// How wide a terminal is taken to be that does not say so.
const DEFAULT_WIDTH: u16 = 100;

/// Where output goes and how it looks.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub(crate) struct Ui {
    /// Whether data is one JSON document.
    pub(crate) json: bool,
    quiet: bool,
    /// Whether people read stdout.
    is_terminal: bool,
    stderr_is_terminal: bool,
    has_colour: bool,
    width: u16,
    now: Timestamp,
}

impl Ui {
    /// Looks at where output goes.
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let size = terminal_size::terminal_size();
        Self {
            json,
            quiet,
            is_terminal: io::stdout().is_terminal(),
            stderr_is_terminal: io::stderr().is_terminal(),
            has_colour: !is_set("NO_COLOR") && !is_dumb,
            width: size.map_or(DEFAULT_WIDTH, |(width, _)| width.0.max(40)),
            now: SystemClock.now(),
        }
    }

    /// Returns `true` if people read the data.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal && !self.json
    }

    /// Returns `true` if people see what is told beside the data.
    pub(crate) fn shows_progress(&self) -> bool {
        self.stderr_is_terminal && !self.quiet
    }

    /// Returns `true` if somebody is at a terminal, wherever some of the input and output goes.
    pub(crate) fn is_watched(&self) -> bool {
        self.stderr_is_terminal || self.is_terminal || io::stdin().is_terminal()
    }

    /// Returns `true` if there is somebody to ask.
    pub(crate) fn can_ask(&self) -> bool {
        self.stderr_is_terminal && io::stdin().is_terminal()
    }

    /// Prints a document of the server: as it was sent, with what is not seen escaped, or indented for people.
    pub(crate) fn document(&self, json: &RawValue) -> Result<()> {
        if !self.is_terminal {
            return self.json_line(json);
        }
        let indented = serde_json::from_str::<Value>(json.get())
            .and_then(|value| serde_json::to_string_pretty(&value))?;
        Ok(output::line(&escaped_json(&indented))?)
    }

    /// Prints a document of the server on one line, also for people.
    #[expect(
        clippy::unused_self,
        reason = "what is printed goes through what knows where it goes"
    )]
    pub(crate) fn json_line(&self, json: &RawValue) -> Result<()> {
        Ok(output::line(&escaped_json(json.get()))?)
    }

    /// Prints lines for people, which [`Ui::line`] made.
    pub(crate) fn lines(lines: &[String]) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        Ok(output::line(&lines.join("\n"))?)
    }

    /// Prints one row for each item: `shown` to people, under a header, and `piped` to programs.
    pub(crate) fn rows<T, const N: usize, const M: usize>(
        &self,
        items: &[T],
        header: [&str; N],
        shown: impl Fn(&T) -> [String; N],
        piped: impl Fn(&T) -> [String; M],
    ) -> Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        if self.is_terminal {
            let rows = items.iter().map(|item| shown(item).map(|cell| plain(&cell)));
            let text = table::aligned(header, rows, self.width, self.style(Style::Strong));
            return Ok(output::line(&text)?);
        }
        let line = |item: &T| piped(item).map(|cell| plain(&cell)).join("\t");
        let lines: Vec<String> = items.iter().map(line).collect();
        Ok(output::line(&lines.join("\n"))?)
    }

    /// Prints what things are: `shown` to people as a list, `piped` to programs as `name<TAB>value`.
    pub(crate) fn fields(&self, fields: &[Field]) -> Result<()> {
        self.rows(
            fields,
            ["", ""],
            |field| [field.name.replace('_', " "), field.shown.clone()],
            |field| [field.name.to_owned(), field.piped.clone()],
        )
    }

    /// Returns how a time is told: to people how long ago it was, to programs as it is.
    pub(crate) fn time(&self, rfc3339: &str) -> String {
        if !self.is_terminal() {
            return rfc3339.to_owned();
        }
        match forge_wire::parse_rfc3339(rfc3339) {
            Some(time) => time::relative(time, self.now),
            None => rfc3339.to_owned(),
        }
    }

    /// Returns how long something still lasts.
    pub(crate) fn until(time: Timestamp) -> String {
        // What ends may have begun after this was made.
        let now = SystemClock.now();
        time::duration(time.as_millis().saturating_sub(now.as_millis()))
    }

    /// Tells something beside the data.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            output::note(&plain(&cut(text)));
        }
    }

    /// Tells people something that programs do not need.
    pub(crate) fn progress(&self, text: &str) {
        if self.shows_progress() {
            output::note(&plain(&cut(text)));
        }
    }

    /// Tells something to think twice about.
    pub(crate) fn warning(&self, text: &str) {
        self.labelled(Style::Warning, "warning", text);
    }

    /// Tells something with a label before it.
    pub(crate) fn labelled(&self, style: Style, label: &str, text: &str) {
        let style = if self.stderr_is_terminal {
            self.style(style)
        } else {
            Style::None
        };
        let text = plain(&cut(text));
        output::note(&format!("{} {text}", style.paint(&format!("{label}:"))));
    }

    /// Returns a line of data as people see it.
    pub(crate) fn line(&self, style: Style, text: &str) -> String {
        self.style(style).paint(&plain(text))
    }

    fn style(&self, style: Style) -> Style {
        if self.has_colour { style } else { Style::None }
    }

    /// Tells why the command failed.
    pub(crate) fn failure(&self, failure: &Failure) {
        let Some(message) = &failure.message else { return };
        if failure.exit == Exit::Interrupted && self.stderr_is_terminal {
            // What the terminal shows of the interrupt ends no line.
            output::note("");
        }
        self.labelled(Style::Error, "error", message);
        for cause in &failure.causes {
            output::note(&format!("  caused by: {}", plain(&cut(cause))));
        }
        for detail in &failure.details {
            output::note(&format!("  {}", plain(&cut(detail))));
        }
        if !failure.hints.is_empty() {
            output::note("");
        }
        for hint in &failure.hints {
            self.labelled(Style::Hint, "hint", hint);
        }
    }

    /// Asks for a yes.
    ///
    /// Nothing but that is one, and nothing that was typed before the question could be read.
    pub(crate) async fn confirm(&self, question: &str) -> Result<bool> {
        if io::stdin().is_terminal() {
            tcflush(io::stdin(), QueueSelector::IFlush).map_err(io::Error::from)?;
        }
        let answer = self.ask(&format!("{question} [y/N]")).await?;
        Ok(matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// Asks for a line.
    ///
    /// Without an answer, the command fails.
    pub(crate) async fn ask(&self, question: &str) -> Result<String> {
        let mut stderr = io::stderr().lock();
        write!(stderr, "{}: ", plain(question))?;
        stderr.flush()?;
        drop(stderr);
        // On a thread of its own, so that Ctrl-C ends the command meanwhile.
        let line = tokio::task::spawn_blocking(input::line);
        let line = line.await??;
        line.ok_or_else(Self::unanswered)
    }

    /// Asks for a secret, which is not shown.
    pub(crate) async fn ask_secret(&self, question: &str) -> Result<String> {
        let question = format!("{}: ", plain(question));
        let secret = tokio::task::spawn_blocking(move || rpassword::prompt_password(question));
        match secret.await? {
            Ok(secret) => Ok(secret.trim().to_owned()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Self::unanswered()),
            Err(error) => Err(error.into()),
        }
    }

    /// The input has ended, as by Ctrl-D, where an answer was waited for.
    fn unanswered() -> Failure {
        // What the terminal shows of it ends no line.
        output::note("");
        Failure::failed("there was no answer; nothing was changed")
    }
}

/// One field of a thing, as people and as programs see it.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    name: &'static str,
    shown: String,
    piped: String,
}

impl Field {
    /// A field that looks the same to both.
    pub(crate) fn new(name: &'static str, value: impl Into<String>) -> Self {
        let shown = value.into();
        Self {
            name,
            piped: shown.clone(),
            shown,
        }
    }

    /// A field that people see in another form.
    pub(crate) fn shown_as(mut self, shown: impl Into<String>) -> Self {
        self.shown = shown.into();
        self
    }
}
