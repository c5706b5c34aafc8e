//! Histories: which calls were made when, seen from outside.

use std::sync::Mutex;

use todc_utils::Action::{self, Call as Begins, Response as Ends};
use todc_utils::{History, WGLChecker};

use super::call::{Answer, Call};
use super::model::{Model, Operation};

/// One line of a history: a call begins, or it ends.
///
/// Every call has a number of its own.
pub(super) type Line = (usize, Action<Operation>);

/// Records what clients do at once, in the order in which it happens.
#[derive(Debug, Default)]
pub(super) struct Recorder(Mutex<Vec<Line>>);

impl Recorder {
    /// Notes that a call begins, before anything is sent, and returns its number.
    pub(super) fn begin(&self, call: &Call) -> usize {
        let mut lines = self.0.lock().unwrap();
        let number = lines.len();
        lines.push((number, Begins(operation(call, None))));
        number
    }

    /// Notes the answer, after it was read.
    pub(super) fn end(&self, number: usize, call: &Call, answer: &Answer) {
        let line = (number, Ends(operation(call, Some(answer.clone()))));
        self.0.lock().unwrap().push(line);
    }

    /// Returns the history so far.
    pub(super) fn lines(&self) -> Vec<Line> {
        self.0.lock().unwrap().clone()
    }
}

/// Ends the calls that have no end.
///
/// Their clients gave up, and they may take place at any later time: so they end after everything else. One that never
/// took place is as good as one that took place when nobody looked any more.
fn with_ends(lines: &[Line]) -> Vec<Line> {
    let ended = |number: usize| {
        lines
            .iter()
            .any(|(of, action)| *of == number && matches!(action, Ends(_)))
    };
    let open = lines.iter().filter_map(|(number, action)| match action {
        Begins(begun) if !ended(*number) => Some((*number, Ends(begun.clone()))),
        _ => None,
    });
    lines.iter().cloned().chain(open).collect()
}

fn operation(call: &Call, answer: Option<Answer>) -> Operation {
    let call = call.clone();
    Operation { call, answer }
}

/// Returns `true` if some order of the calls, in which none moves behind one that began after its end, gives all of
/// these answers.
pub(super) fn is_linearizable(lines: &[Line]) -> bool {
    lines.is_empty() || WGLChecker::<Model>::is_linearizable(History::from_actions(with_ends(lines)))
}

/// Returns how many lines of a rejected history it takes until it has to be rejected: its last line is the one to look
/// at.
pub(super) fn rejected_after(lines: &[Line]) -> usize {
    // What is true of a history is true of its beginnings, so this can be searched by halves.
    let (mut accepted, mut rejected) = (0, lines.len());
    while rejected - accepted > 1 {
        let middle = accepted.midpoint(rejected);
        if is_linearizable(&lines[..middle]) {
            accepted = middle;
        } else {
            rejected = middle;
        }
    }
    rejected
}

/// Writes a history for people, one line for each begin and end.
pub(super) fn text(lines: &[Line]) -> String {
    let line = |(number, action): &Line| match action {
        Begins(operation) => format!("{number:>4} begins {:?}\n", operation.call),
        Ends(operation) => format!("{number:>4} ends   {:?}\n", operation.answer),
    };
    lines.iter().map(line).collect()
}
