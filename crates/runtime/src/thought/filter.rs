//! Separating what is said from what is thought while a text arrives piece by piece.

use super::fence::{fence, strokes, without_blanks};
use super::mark::{MOST_ATTRIBUTES, Mark, mark_at_the_beginning, may_become_a_thought};

/// Returns the answer in a complete text in which marks between words are words.
pub(crate) fn spoken_in(text: &str) -> Result<String, ThoughtsWereSpoken> {
    let mut filter = Filter::default();
    let mut spoken = filter.push(text)?;
    spoken.push_str(&filter.finish());
    Ok(spoken)
}

/// Thoughts were taken for speech: their end came without their beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ThoughtsWereSpoken;

/// Lets through what is said, piece by piece, and keeps back what is thought.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    state: State,
    /// What it is not known of yet what it is.
    held: String,
    /// The beginning of a code fence that thoughts stood in.
    fence: String,
    /// What was let through.
    spoken: String,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing but blanks and thoughts so far.
    #[default]
    Beginning,
    Thinking(Mark),
    Speaking,
}

impl Filter {
    /// Creates a filter for a text that begins within a thought, whose first mark nobody sent.
    pub(crate) fn within(mark: Mark) -> Self {
        Self {
            state: State::Thinking(mark),
            ..Self::default()
        }
    }

    /// Takes the next piece, and returns what of it, and of what was held back, is said.
    pub(crate) fn push(&mut self, text: &str) -> Result<String, ThoughtsWereSpoken> {
        self.held.push_str(text);
        loop {
            match self.state {
                State::Beginning => {
                    let Some(next) = self.begin() else {
                        return Ok(String::new());
                    };
                    self.state = next;
                }
                State::Thinking(mark) => {
                    let Some(end) = mark.end_in(&self.held) else {
                        self.forget_thoughts(mark);
                        return Ok(String::new());
                    };
                    self.held.drain(..end);
                    self.state = State::Beginning;
                }
                State::Speaking => {
                    let said = std::mem::take(&mut self.held);
                    self.spoken.push_str(&said);
                    return if self.is_thought_in(said.len()) {
                        Err(ThoughtsWereSpoken)
                    } else {
                        Ok(said)
                    };
                }
            }
        }
    }

    /// Finds out what a text is that has nothing but blanks and thoughts before it, once enough of it is there.
    fn begin(&mut self) -> Option<State> {
        let beginning = without_blanks(&self.held);
        if !self.fence.is_empty() && beginning.len() == strokes(beginning).len() {
            return None;
        }
        if !self.fence.is_empty() && strokes(beginning).len() >= 3 {
            // There was nothing in it but thoughts. If a word follows, another one begins here.
            self.fence.clear();
            let after = &beginning[strokes(beginning).len()..];
            if after.starts_with(char::is_whitespace) {
                self.held = after.to_owned();
            }
            return Some(State::Beginning);
        }
        let fence = fence(beginning);
        let inside = &beginning[fence.len()..];
        if let Some(mark) = mark_at_the_beginning(beginning) {
            self.held = beginning.to_owned();
            return Some(State::Thinking(mark));
        }
        if let Some(mark) = mark_at_the_beginning(inside) {
            self.fence = fence.to_owned();
            self.held = inside.to_owned();
            return Some(State::Thinking(mark));
        }
        let strokes = strokes(beginning);
        let may_become_a_fence = !strokes.is_empty() && strokes.len() == beginning.len();
        if may_become_a_fence || may_become_a_thought(beginning) || may_become_a_thought(inside) {
            return None;
        }
        self.held.insert_str(0, &std::mem::take(&mut self.fence));
        Some(State::Speaking)
    }

    /// Ends the answer, and returns what was held back but was no thought.
    pub(crate) fn finish(&mut self) -> String {
        match self.state {
            State::Thinking(_) => String::new(),
            // The end of a fence that had nothing but thoughts in it.
            State::Beginning if !self.fence.is_empty() && strokes(self.held.trim()).len() >= 3 => {
                String::new()
            }
            State::Beginning | State::Speaking => std::mem::take(&mut self.held),
        }
    }

    /// Returns `true` if the answer did not get beyond thoughts.
    pub(crate) fn is_thinking(&self) -> bool {
        matches!(self.state, State::Thinking(_))
    }

    /// Of a thought, only what may be the beginning of its end is of any use.
    fn forget_thoughts(&mut self, mark: Mark) {
        let longest = mark.close.len() + MOST_ATTRIBUTES;
        let from = floor(&self.held, self.held.len().saturating_sub(longest));
        self.held.drain(..from);
    }

    /// Returns `true` if the latest bytes that were said end a thought that never began.
    fn is_thought_in(&self, latest: usize) -> bool {
        let longest = Mark::paired().map(|mark| mark.close.len()).max().unwrap_or(0) + MOST_ATTRIBUTES;
        let from = floor(&self.spoken, self.spoken.len().saturating_sub(latest + longest));
        let latest = &self.spoken[from..];
        Mark::paired().any(|mark| mark.closings(latest).next().is_some() && mark.is_unopened_in(&self.spoken))
    }
}

/// Returns the nearest place before or at this one where a character begins.
fn floor(text: &str, mut place: usize) -> usize {
    while !text.is_char_boundary(place) {
        place -= 1;
    }
    place
}
