//! What a model thinks before it answers, where its server leaves that in the text of the answer.
//!
//! A thought is nobody's business: it is not told, not kept, and no part of an answer. It stands at the beginning of an
//! answer, between two marks; some servers swallow the first one. Between other words such marks are words: a text may
//! well be about them.

/// What stands around thoughts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) open: &'static str,
    pub(crate) close: &'static str,
    /// Who writes it.
    pub(crate) of: &'static str,
}

/// Where the answer begins in the format of gpt-oss, whose channels have other contents before it.
const FINAL: &str = "<|channel|>final";

/// Every mark that is known, in the order in which a text is held against them. `docs/models.md` has them as a table.
pub(crate) const MARKS: [Mark; 14] = [
    mark(
        "<think>",
        "</think>",
        "DeepSeek, Qwen, MiniMax, GLM, Nemotron and most others",
    ),
    mark(
        "<thinking>",
        "</thinking>",
        "models that are told to think in XML",
    ),
    mark("<thought>", "</thought>", "EXAONE, Gemini behind some gateways"),
    mark(
        "<reasoning>",
        "</reasoning>",
        "models that are told to think in XML",
    ),
    mark("<seed:think>", "</seed:think>", "Seed-OSS"),
    mark("[THINK]", "[/THINK]", "Magistral"),
    mark("◁think▷", "◁/think▷", "Kimi"),
    mark("<|START_THINKING|>", "<|END_THINKING|>", "Command A"),
    mark("<|begin_of_thought|>", "<|end_of_thought|>", "OpenThinker"),
    mark("<|inner_prefix|>", "<|inner_suffix|>", "Apertus"),
    mark("<|channel>thought", "<channel|>", "Gemma"),
    mark(FINAL, "<|message|>", "gpt-oss, before its answer"),
    mark("<|channel|>", FINAL, "gpt-oss"),
    mark("<|start|>", FINAL, "gpt-oss"),
];

const fn mark(open: &'static str, close: &'static str, of: &'static str) -> Mark {
    Mark { open, close, of }
}

impl Mark {
    /// Returns where, in a text that begins with the first mark, the thought ends and the rest begins.
    fn end_in(self, text: &str) -> Option<usize> {
        let start = find(text, self.close)?;
        // What the answer of gpt-oss begins with is a mark of its own.
        Some(if self.close == FINAL {
            start
        } else {
            start + self.close.len()
        })
    }

    /// Returns where, in a text that begins within a thought, the thought ends and the rest begins; `None` if the first mark
    /// stands before the second one: then the text is about marks.
    fn end_of_unopened_in(self, text: &str) -> Option<usize> {
        let start = find(text, self.close)?;
        let is_opened = find(&text[..start], self.open).is_some();
        self.end_in(text).filter(|_| !is_opened)
    }

    /// Tells whether a second mark stands somewhere that no first one belongs to.
    fn is_unopened_in(self, text: &str) -> bool {
        // It ends nothing but the name of a channel.
        if self.open == FINAL {
            return false;
        }
        let closed = count(text, self.close);
        let opened = count(text, self.open);
        // In gpt-oss's format, the second mark begins like the first one.
        let opened = if self.close.starts_with(self.open) {
            opened - closed
        } else {
            opened
        };
        closed > opened
    }
}

/// Finds a mark, in capitals or not; its first byte is at the returned place.
fn find(text: &str, mark: &str) -> Option<usize> {
    places(text, mark).next()
}

fn count(text: &str, mark: &str) -> usize {
    places(text, mark).count()
}

fn places<'t>(text: &'t str, mark: &'t str) -> impl Iterator<Item = usize> + 't {
    // Marks begin with `<`, `[` or `◁`, which have no capitals.
    let first = mark.chars().next().unwrap_or_default();
    text.match_indices(first)
        .map(|(place, _)| place)
        .filter(move |place| begins_with(&text[*place..], mark))
}

fn begins_with(text: &str, mark: &str) -> bool {
    let beginning = text.as_bytes().get(..mark.len());
    beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(mark.as_bytes()))
}

/// Tells whether a text may become one that begins with the mark.
fn may_become(text: &str, mark: &str) -> bool {
    let beginning = mark.as_bytes().get(..text.len());
    beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(text.as_bytes()))
}

/// Returns a text without the blanks at its beginning, and without what nobody sees there.
fn without_blanks(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'))
}

/// Returns the place in an answer from which on it is a thought without end: that of the first mark outside of what is
/// solid, or the end of the answer.
pub(crate) fn unended_thought_in(answer: &str, is_solid: impl Fn(usize) -> bool) -> usize {
    let openings = MARKS.iter().filter(|mark| mark.open != FINAL);
    let places = openings.flat_map(|mark| places(answer, mark.open));
    places
        .filter(|place| !is_solid(*place))
        .min()
        .unwrap_or(answer.len())
}

fn mark_at_the_beginning(text: &str) -> Option<Mark> {
    MARKS.into_iter().find(|mark| begins_with(text, mark.open))
}

/// The answer had no beginning: all of it is a thought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NothingButThoughts;

/// Returns the answer in a complete text: what follows its thoughts. Places in `solid` are looked over: marks in there
/// are a part of what is said.
pub(crate) fn answer_in(text: &str, is_solid: impl Fn(usize) -> bool) -> Result<&str, NothingButThoughts> {
    let closings = MARKS.iter().filter(|mark| mark.open != FINAL);
    let last_end = closings.flat_map(|mark| {
        let length = if mark.close == FINAL { 0 } else { mark.close.len() };
        places(text, mark.close).map(move |place| (place, place + length))
    });
    let last_end = last_end
        .filter(|(place, _)| !is_solid(*place))
        .map(|(_, end)| end);
    let mut rest = &text[last_end.max().unwrap_or(0)..];
    loop {
        rest = without_blanks(rest);
        match mark_at_the_beginning(rest) {
            None => return Ok(rest),
            Some(mark) => {
                rest = mark
                    .end_in(rest)
                    .map(|end| &rest[end..])
                    .ok_or(NothingButThoughts)?;
            }
        }
    }
}

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
    /// What was let through.
    spoken: String,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing but blanks and thoughts so far.
    #[default]
    Beginning,
    /// The same, of a model whose thoughts are known to begin without a mark.
    Suspicious,
    Thinking(Mark),
    Speaking,
}

/// Tells whether a thought ends in a complete text that never began.
pub(crate) fn ends_unopened(text: &str) -> bool {
    MARKS.iter().any(|mark| mark.is_unopened_in(text))
}

impl Filter {
    /// Makes a filter for a model whose thoughts begin without a mark: everything is kept back up to their end, or to that
    /// of the answer.
    pub(crate) fn suspicious() -> Self {
        Self {
            state: State::Suspicious,
            ..Self::default()
        }
    }

    /// Takes the next piece, and returns what of it, and of what was held back, is said.
    pub(crate) fn push(&mut self, text: &str) -> Result<String, ThoughtsWereSpoken> {
        self.held.push_str(text);
        loop {
            match self.state {
                State::Beginning => {
                    let beginning = without_blanks(&self.held);
                    if let Some(mark) = mark_at_the_beginning(beginning) {
                        self.held = beginning.to_owned();
                        self.state = State::Thinking(mark);
                    } else if MARKS.iter().any(|mark| may_become(beginning, mark.open)) {
                        return Ok(String::new());
                    } else {
                        self.state = State::Speaking;
                    }
                }
                State::Suspicious => {
                    let beginning = without_blanks(&self.held);
                    let closings = MARKS.iter().filter(|mark| mark.open != FINAL);
                    let ends = closings.filter_map(|mark| mark.end_of_unopened_in(&self.held));
                    if mark_at_the_beginning(beginning).is_some() {
                        self.state = State::Beginning;
                    } else if let Some(end) = ends.min() {
                        self.held.drain(..end);
                        self.state = State::Beginning;
                    } else {
                        return Ok(String::new());
                    }
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

    /// Ends the answer, and returns what was held back but was no thought.
    pub(crate) fn finish(&mut self) -> String {
        match self.state {
            State::Thinking(_) => String::new(),
            State::Beginning | State::Suspicious | State::Speaking => std::mem::take(&mut self.held),
        }
    }

    /// Tells whether the answer did not get beyond thoughts.
    pub(crate) fn is_thinking(&self) -> bool {
        matches!(self.state, State::Thinking(_))
    }

    /// Tells whether a thought was taken for speech.
    pub(crate) fn were_thoughts_spoken(&self) -> bool {
        ends_unopened(&self.spoken)
    }

    /// Of a thought, only what may be the beginning of its end is of any use.
    fn forget_thoughts(&mut self, mark: Mark) {
        let mut from = self.held.len().saturating_sub(mark.close.len());
        while !self.held.is_char_boundary(from) {
            from -= 1;
        }
        self.held.drain(..from);
    }

    /// Tells whether the latest bytes that were said end a thought that never began.
    fn is_thought_in(&self, latest: usize) -> bool {
        let longest = MARKS.iter().map(|mark| mark.close.len()).max().unwrap_or(0);
        let mut from = self.spoken.len().saturating_sub(latest + longest);
        while !self.spoken.is_char_boundary(from) {
            from -= 1;
        }
        let latest = &self.spoken[from..];
        MARKS
            .iter()
            .any(|mark| find(latest, mark.close).is_some() && mark.is_unopened_in(&self.spoken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets a text through in pieces of so many characters.
    fn said_in_pieces(text: &str, size: usize) -> Result<String, ThoughtsWereSpoken> {
        let characters: Vec<char> = text.chars().collect();
        let mut filter = Filter::default();
        let mut said = String::new();
        for piece in characters.chunks(size) {
            said.push_str(&filter.push(&piece.iter().collect::<String>())?);
        }
        said.push_str(&filter.finish());
        Ok(said)
    }

    fn whole(text: &str) -> Result<&str, NothingButThoughts> {
        answer_in(text, |_| false)
    }

    #[test]
    fn every_mark_keeps_thoughts_back_however_the_text_is_cut_in_pieces() {
        for mark in MARKS {
            let Mark { open, close, .. } = mark;
            let rest = if close == FINAL { "<|message|>" } else { "" };
            let text = format!("\n {open}secret <plan>, [more]{close}{rest}Hi <b>.");
            for size in 1..text.chars().count() {
                assert_eq!(
                    said_in_pieces(&text, size).as_deref(),
                    Ok("Hi <b>."),
                    "{open} {size}"
                );
            }
            let loud = text.to_ascii_uppercase();
            assert_eq!(said_in_pieces(&loud, 3).as_deref(), Ok("HI <B>."), "{open}");
            assert_eq!(whole(&text), Ok("Hi <b>."), "{open}");
            let unended = format!("{open}secret plan: Hi");
            assert_eq!(said_in_pieces(&unended, 2).as_deref(), Ok(""), "{open}");
            assert_eq!(whole(&unended), Err(NothingButThoughts), "{open}");
        }
    }

    #[test]
    fn a_message_about_marks_is_whole_also_of_a_model_that_swallows_them() {
        let text =
            "Never take more than 2 tablets a day. You write <think> before and </think> after it. Bye.";
        for size in [1, 7, 1000] {
            let mut filter = Filter::suspicious();
            let mut said = String::new();
            for piece in text.as_bytes().chunks(size) {
                said.push_str(&filter.push(std::str::from_utf8(piece).unwrap()).unwrap());
            }
            said.push_str(&filter.finish());
            assert_eq!(said, text, "{size}");
        }
    }

    #[test]
    fn what_nobody_sees_before_a_thought_does_not_make_it_speech() {
        for before in ["\u{feff}", "\u{200b}", " \u{feff}\n"] {
            let text = format!("{before}<think>secret</think>Hi.");
            assert_eq!(said_in_pieces(&text, 2).as_deref(), Ok("Hi."), "{before:?}");
            assert_eq!(whole(&format!("{before}<think>secret")), Err(NothingButThoughts));
        }
    }

    #[test]
    fn channels_before_the_final_one_are_thoughts() {
        let text = "<|channel|>analysis<|message|>They greet.<|end|><|start|>assistant<|channel|>final \
                    <|constrain|>json<|message|>{\"choice\": 1}";
        assert_eq!(said_in_pieces(text, 1).as_deref(), Ok("{\"choice\": 1}"));
        assert_eq!(whole(text), Ok("{\"choice\": 1}"));
    }

    #[test]
    fn several_thoughts_in_a_row_are_kept_back() {
        let text = "<think></think>\n<thinking>a</thinking> Hi";
        assert_eq!(said_in_pieces(text, 1).as_deref(), Ok(" Hi"));
        assert_eq!(whole(text), Ok("Hi"));
    }

    #[test]
    fn marks_between_words_are_words() {
        for text in [
            "I think so.",
            "<b>Hi</b>",
            "<",
            "<thi",
            "< think>Hi",
            "Write <think> before a thought and </think> after it.",
            "[THINKING] of you",
            "The mark `<think>` begins it.",
        ] {
            for size in [1, 2, 100] {
                assert_eq!(said_in_pieces(text, size).as_deref(), Ok(text), "{size}");
            }
        }
    }

    #[test]
    fn what_is_known_to_begin_with_a_thought_is_held_back() {
        for (text, expected) in [
            ("I should say hi.</think>\nHi.", "\nHi."),
            ("a</think><think>b</think>Hi.", "Hi."),
            ("<think>a</think>Hi.", "Hi."),
            ("x<|channel|>final<|message|>Hi.", "Hi."),
            ("Hi, no thought.", "Hi, no thought."),
        ] {
            for size in [1, 3, 100] {
                let characters: Vec<char> = text.chars().collect();
                let mut filter = Filter::suspicious();
                let mut said = String::new();
                for piece in characters.chunks(size) {
                    said.push_str(&filter.push(&piece.iter().collect::<String>()).unwrap());
                }
                said.push_str(&filter.finish());
                assert_eq!(said, expected, "{text} {size}");
            }
        }
        assert!(ends_unopened("a</think>b") && !ends_unopened("<think>a</think>b") && !ends_unopened("a"));
    }

    #[test]
    fn an_end_without_a_beginning_makes_all_before_it_a_thought() {
        for text in [
            "maybe not</think>Hi",
            "<think>a</think>b</THINK>Hi",
            "x<|channel|>final<|message|>Hi",
        ] {
            for size in [1, 3, 100] {
                assert_eq!(said_in_pieces(text, size), Err(ThoughtsWereSpoken), "{text}");
            }
            assert_eq!(whole(text), Ok("Hi"), "{text}");
        }
        let solid = |place| place < 20;
        assert_eq!(
            answer_in("a part of it</think>, is it?", solid),
            Ok("a part of it</think>, is it?")
        );
    }
}
