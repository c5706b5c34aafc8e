//! The log on stderr, which nobody waits for.
//!
//! A pipe that is full, a terminal that is held and a disk that stalls keep whoever writes to them waiting, for ever if need
//! be. So lines wait in memory, and a thread of its own writes them. When more wait than there is room for, or when they cannot
//! be written, they are lost; how many, is told as soon as something can be written again.
//!
//! `tracing_appender::non_blocking` does nearly this; but what waits there is bounded in lines, whatever their length, nobody is
//! told of those that are lost, and with it come a second kind of channel and a second library for time.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

/// How much may wait, in bytes.
const ROOM: usize = 1024 * 1024;

/// How long the end of the process waits for what has not been written.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the log tells of itself.
pub(crate) const TARGET: &str = "forge::log";

/// A log that is written by a thread of its own.
#[derive(Debug, Clone)]
pub(crate) struct Log(Arc<Queue>);

#[derive(Debug)]
struct Queue {
    waiting: Mutex<Waiting>,
    /// Something waits, or nothing does any more.
    has_changed: Condvar,
    room: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    lost: u64,
    /// Whether a line is being written that does not wait any more.
    is_writing: bool,
}

impl Log {
    /// Starts the thread, which ends with the process.
    pub(crate) fn start() -> io::Result<Self> {
        Self::to(io::stderr(), ROOM)
    }

    fn to(stream: impl Write + Send + 'static, room: usize) -> io::Result<Self> {
        let queue = Arc::new(Queue {
            waiting: Mutex::default(),
            has_changed: Condvar::new(),
            room,
        });
        let written = Arc::clone(&queue);
        let thread = std::thread::Builder::new().name("log".to_owned());
        thread.spawn(move || written.write_to(stream))?;
        Ok(Self(queue))
    }

    /// Waits until all is written, but not for long.
    ///
    /// Returns `true` if it is.
    pub(crate) fn end(&self) -> bool {
        self.0.drained(PATIENCE)
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line if there is room; what the log tells of itself always has some.
    fn push(&self, line: &[u8], is_of_itself: bool) {
        let mut waiting = self.lock();
        if waiting.bytes + line.len() > self.room && !is_of_itself {
            waiting.lost += 1;
            return;
        }
        waiting.bytes += line.len();
        waiting.lines.push_back(line.to_vec());
        self.has_changed.notify_all();
    }

    /// Waits for a line.
    fn next(&self) -> Vec<u8> {
        let mut waiting = self.lock();
        loop {
            if let Some(line) = waiting.lines.pop_front() {
                waiting.bytes -= line.len();
                waiting.is_writing = true;
                return line;
            }
            waiting = self
                .has_changed
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Notes that a line was written, or could not be.
    ///
    /// Returns how many were lost before one that was.
    fn note(&self, written: &io::Result<()>) -> u64 {
        let mut waiting = self.lock();
        waiting.is_writing = false;
        self.has_changed.notify_all();
        if written.is_err() {
            waiting.lost += 1;
            return 0;
        }
        std::mem::take(&mut waiting.lost)
    }

    fn write_to(&self, mut stream: impl Write) {
        loop {
            let line = self.next();
            // To say that it failed would go to the same place.
            let lost = self.note(&stream.write_all(&line));
            if lost > 0 {
                tracing::warn!(target: TARGET, lost, "lines of the log could not be written in time, and are lost");
            }
        }
    }

    fn drained(&self, patience: Duration) -> bool {
        let is_busy = |waiting: &mut Waiting| waiting.is_writing || !waiting.lines.is_empty();
        let waited = self
            .has_changed
            .wait_timeout_while(self.lock(), patience, is_busy);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

/// Takes the lines of one event.
pub(crate) struct Lines<'a> {
    queue: &'a Queue,
    is_of_itself: bool,
}

impl Write for Lines<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.queue.push(line, self.is_of_itself);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Lines<'a>;

    fn make_writer(&'a self) -> Lines<'a> {
        Lines {
            queue: &self.0,
            is_of_itself: false,
        }
    }

    fn make_writer_for(&'a self, event: &Metadata<'_>) -> Lines<'a> {
        Lines {
            queue: &self.0,
            is_of_itself: event.target() == TARGET,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A stream that takes a line when it is allowed to, and tells which.
    struct Reader {
        may: Receiver<bool>,
        taken: Sender<String>,
    }

    impl Write for Reader {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            if !self.may.recv().unwrap_or(false) {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            let text = String::from_utf8_lossy(line).into_owned();
            self.taken.send(text).map_err(io::Error::other)?;
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn log(room: usize) -> (Log, Sender<bool>, Receiver<String>) {
        let ((may, allowed), (taken, lines)) = (channel(), channel());
        let reader = Reader { may: allowed, taken };
        (Log::to(reader, room).unwrap(), may, lines)
    }

    #[test]
    fn lines_wait_for_nobody_and_those_without_room_are_counted() {
        let (log, may, lines) = log(10);
        let queue = Arc::clone(&log.0);
        queue.push(b"first", false);
        // The thread has it, and holds on to it.
        while !queue.lock().is_writing {
            std::thread::yield_now();
        }
        for line in [b"1234", b"5678", b"lost", b"lost"] {
            queue.push(line, false);
        }
        assert_eq!(queue.lock().lost, 2);
        queue.push(b"of itself", true);
        assert_eq!(queue.lock().bytes, 17);
        assert!(!queue.drained(Duration::ZERO), "nobody reads");
        for _ in 0..4 {
            may.send(true).unwrap();
        }
        assert_eq!(
            lines.iter().take(4).collect::<Vec<_>>(),
            ["first", "1234", "5678", "of itself"]
        );
        assert!(log.end());
        assert_eq!(queue.lock().lost, 0, "told");
        assert_eq!(queue.lock().bytes, 0);
    }

    #[test]
    fn what_cannot_be_written_is_lost_and_told_once_something_can() {
        let (log, may, lines) = log(100);
        for (line, may_be_written) in [(b"one", false), (b"two", false), (b"six", true)] {
            log.0.push(line, false);
            may.send(may_be_written).unwrap();
            assert!(log.end());
            assert_eq!(log.0.lock().lost > 0, !may_be_written);
        }
        assert_eq!(lines.recv().unwrap(), "six");
    }
}
