//! What a model thinks before it answers, where its server leaves that in the text of the answer.
//!
//! A thought is nobody's business: it is not told, not kept, and no part of an answer. It stands at the beginning of an
//! answer, between two marks; some servers keep the first one to themselves. Between other words such marks are words: a text
//! may well be about them. Each text is judged by itself: nothing that was said in one changes how another is read.

use std::ops::Range;

/// What stands around thoughts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) open: &'static str,
    pub(crate) close: &'static str,
    /// Who writes it.
    pub(crate) of: &'static str,
    form: Form,
}

/// How a mark is told from other words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// By its characters, in capitals or not.
    Exact,
    /// The same, and before its last one may be blanks; in the first mark, attributes too.
    Tag,
    /// By letters that are no word, and only at the beginning: a letter follows them at once.
    Bare,
}

/// Where the answer begins in the format of gpt-oss, whose channels have other contents before it.
const FINAL: &str = "<|channel|>final";

/// The most bytes that may stand between the name in a mark and its end.
const MOST_ATTRIBUTES: usize = 200;

/// Every mark that is known, in the order in which a text is held against them.
///
/// `docs/models.md` has them as a table.
pub(crate) const MARKS: [Mark; 19] = [
    tag(
        "<think>",
        "</think>",
        "DeepSeek, Qwen, MiniMax, GLM, Nemotron and most others",
    ),
    tag(
        "<thinking>",
        "</thinking>",
        "models that are told to think in XML",
    ),
    tag("<thought>", "</thought>", "EXAONE, Gemini behind some gateways"),
    tag(
        "<thoughts>",
        "</thoughts>",
        "models that are told to think in XML",
    ),
    tag(
        "<reasoning>",
        "</reasoning>",
        "models that are told to think in XML",
    ),
    tag("<reflection>", "</reflection>", "Reflection"),
    tag(
        "<analysis>",
        "</analysis>",
        "models that are told to think in XML",
    ),
    tag(
        "<scratchpad>",
        "</scratchpad>",
        "models that are told to think in XML",
    ),
    tag("<seed:think>", "</seed:think>", "Seed-OSS"),
    mark("[THINK]", "[/THINK]", "Magistral"),
    mark("◁think▷", "◁/think▷", "Kimi"),
    mark("<|START_THINKING|>", "<|END_THINKING|>", "Command A"),
    mark("<|begin_of_thought|>", "<|end_of_thought|>", "OpenThinker"),
    mark("<|inner_prefix|>", "<|inner_suffix|>", "Apertus"),
    mark("<|channel>thought", "<channel|>", "Gemma"),
    mark(FINAL, "<|message|>", "gpt-oss, before its answer"),
    mark("<|channel|>", FINAL, "gpt-oss"),
    mark("<|start|>", FINAL, "gpt-oss"),
    Mark {
        form: Form::Bare,
        ..mark(
            "analysis",
            "assistantfinal",
            "gpt-oss, where its server leaves out special tokens",
        )
    },
];

const fn mark(open: &'static str, close: &'static str, of: &'static str) -> Mark {
    Mark {
        open,
        close,
        of,
        form: Form::Exact,
    }
}

const fn tag(open: &'static str, close: &'static str, of: &'static str) -> Mark {
    Mark {
        form: Form::Tag,
        ..mark(open, close, of)
    }
}

/// What a text is, held against a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Withheld {
    /// It begins with the mark, which has so many bytes.
    Begins(usize),
    /// It may be the first part of such a text.
    MayBegin,
    IsOther,
}

impl Withheld {
    fn length(self) -> Option<usize> {
        match self {
            Self::Begins(length) => Some(length),
            Self::MayBegin | Self::IsOther => None,
        }
    }
}

impl Mark {
    /// Returns the marks that a thought can begin and end with at any place.
    fn paired() -> impl Iterator<Item = Self> {
        let is_paired = |mark: &Self| mark.open != FINAL && mark.form != Form::Bare;
        MARKS.into_iter().filter(is_paired)
    }

    /// Finds the mark that thoughts begin with for a server which keeps it to itself.
    pub(crate) fn that_opens(open: &str) -> Option<Self> {
        Self::paired().find(|mark| mark.open.eq_ignore_ascii_case(open))
    }

    fn open_at(self, text: &str) -> Withheld {
        match self.form {
            Form::Exact => held_against(text, self.open),
            Form::Tag => held_against_tag(text, self.open, |c| !matches!(c, '<' | '>')),
            Form::Bare => match text.strip_prefix(self.open).map(|rest| rest.chars().next()) {
                Some(Some(next)) if next.is_alphabetic() => Withheld::Begins(self.open.len()),
                Some(None) => Withheld::MayBegin,
                None if self.open.starts_with(text) => Withheld::MayBegin,
                _ => Withheld::IsOther,
            },
        }
    }

    fn close_at(self, text: &str) -> Withheld {
        match self.form {
            Form::Exact => held_against(text, self.close),
            Form::Tag => held_against_tag(text, self.close, char::is_whitespace),
            Form::Bare if text.starts_with(self.close) => Withheld::Begins(self.close.len()),
            Form::Bare => Withheld::IsOther,
        }
    }

    /// Returns where the second mark stands in a text, each time.
    fn closings(self, text: &str) -> impl Iterator<Item = Range<usize>> {
        places(text, self.close, move |rest| self.close_at(rest))
    }

    fn openings(self, text: &str) -> impl Iterator<Item = Range<usize>> {
        places(text, self.open, move |rest| self.open_at(rest))
    }

    /// Returns where, in a text that begins with the first mark or within the thought, the thought ends and the rest
    /// begins.
    fn end_in(self, text: &str) -> Option<usize> {
        self.closings(text).next().map(|close| self.end_of(&close))
    }

    fn end_of(self, close: &Range<usize>) -> usize {
        // What the answer of gpt-oss begins with is a mark of its own.
        if self.close == FINAL {
            close.start
        } else {
            close.end
        }
    }

    /// Returns `true` if a second mark stands somewhere that no first one belongs to.
    fn is_unopened_in(self, text: &str) -> bool {
        let closed = self.closings(text).count();
        let opened = self.openings(text).count();
        // In gpt-oss's format, the second mark begins like the first one.
        let opened = if self.close.starts_with(self.open) {
            opened - closed
        } else {
            opened
        };
        closed > opened
    }
}

fn held_against(text: &str, mark: &str) -> Withheld {
    let common = text.len().min(mark.len());
    if !text.as_bytes()[..common].eq_ignore_ascii_case(&mark.as_bytes()[..common]) {
        Withheld::IsOther
    } else if common == mark.len() {
        Withheld::Begins(common)
    } else {
        Withheld::MayBegin
    }
}

/// Holds a text against a tag, which may have blanks and what follows them before its end, if that is admitted.
fn held_against_tag(text: &str, tag: &str, is_admitted: impl Fn(char) -> bool) -> Withheld {
    let name = &tag[..tag.len() - 1];
    let length = match held_against(text, name) {
        Withheld::Begins(length) => length,
        other => return other,
    };
    let rest = &text[length..];
    if !rest.is_empty() && !rest.starts_with('>') && !rest.starts_with(char::is_whitespace) {
        return Withheld::IsOther;
    }
    match rest.find(|c: char| !is_admitted(c)) {
        Some(end) if end <= MOST_ATTRIBUTES && rest[end..].starts_with('>') => {
            Withheld::Begins(length + end + 1)
        }
        None if rest.len() <= MOST_ATTRIBUTES => Withheld::MayBegin,
        _ => Withheld::IsOther,
    }
}

/// Returns the places of a mark in a text.
fn places<'t>(
    text: &'t str,
    mark: &'static str,
    held: impl Fn(&str) -> Withheld + 't,
) -> impl Iterator<Item = Range<usize>> + 't {
    // No mark begins with a letter that has another form, but for those that are held against as they are.
    let first = mark.chars().next().unwrap_or_default();
    text.match_indices(first).filter_map(move |(place, _)| {
        let length = held(&text[place..]).length()?;
        Some(place..place + length)
    })
}

/// Returns a text without the blanks at its beginning, and without what nobody sees there.
fn without_blanks(text: &str) -> &str {
    let is_unseen =
        |c| matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{ad}');
    text.trim_start_matches(|c: char| c.is_whitespace() || is_unseen(c))
}

/// Returns the beginning of a code fence that a text begins with: its strokes.
///
/// Fewer than three may become some.
fn strokes(text: &str) -> &str {
    let Some(stroke @ ('`' | '~')) = text.chars().next() else {
        return "";
    };
    &text[..text.len() - text.trim_start_matches(stroke).len()]
}

/// Returns what a code fence begins with that a text begins with, up to what stands in it.
fn fence(text: &str) -> &str {
    let strokes = strokes(text);
    if strokes.len() < 3 {
        return "";
    }
    let rest = &text[strokes.len()..];
    let inside = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if rest.len() - inside.len() > MOST_ATTRIBUTES {
        return "";
    }
    &text[..text.len() - without_blanks(inside).len()]
}

/// Returns the place in an answer from which on it is a thought without end: that of the first mark outside of what is
/// solid, or the end of the answer.
pub(crate) fn unended_thought_in(answer: &str, is_solid: impl Fn(usize) -> bool) -> usize {
    let places = Mark::paired().flat_map(|mark| mark.openings(answer));
    places
        .map(|open| open.start)
        .filter(|place| !is_solid(*place))
        .min()
        .unwrap_or(answer.len())
}

fn mark_at_the_beginning(text: &str) -> Option<Mark> {
    MARKS
        .into_iter()
        .find(|mark| mark.open_at(text).length().is_some())
}

/// Returns `true` if a text may become one that begins with a mark.
fn may_become_a_thought(text: &str) -> bool {
    MARKS.iter().any(|mark| mark.open_at(text) == Withheld::MayBegin)
}

/// The answer had no beginning: all of it is a thought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NothingButThoughts;

/// Returns the answer in a complete text: what follows its thoughts.
///
/// Places in `solid` are looked over: marks in there are a part of what is said.
pub(crate) fn answer_in(text: &str, is_solid: impl Fn(usize) -> bool) -> Result<&str, NothingButThoughts> {
    let last_end = Mark::paired().flat_map(|mark| {
        let closings = mark.closings(text);
        closings.map(move |close| (close.start, mark.end_of(&close)))
    });
    let last_end = last_end
        .filter(|(place, _)| !is_solid(*place))
        .map(|(_, end)| end);
    let mut rest = &text[last_end.max().unwrap_or(0)..];
    loop {
        rest = without_blanks(rest);
        let inside = &rest[fence(rest).len()..];
        let Some((thought, mark)) = [rest, inside]
            .into_iter()
            .find_map(|text| Some((text, mark_at_the_beginning(text)?)))
        else {
            return Ok(rest);
        };
        let end = mark.end_in(thought).ok_or(NothingButThoughts)?;
        rest = &thought[end..];
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
            let is_heard = mark.form == Form::Bare || said_in_pieces(&loud, 3).as_deref() == Ok("HI <B>.");
            assert!(is_heard, "{open}");
            assert_eq!(whole(&text), Ok("Hi <b>."), "{open}");
            let unended = format!("{open}secret plan: Hi");
            assert_eq!(said_in_pieces(&unended, 2).as_deref(), Ok(""), "{open}");
            assert_eq!(whole(&unended), Err(NothingButThoughts), "{open}");
        }
    }

    #[test]
    fn what_nobody_sees_before_a_thought_does_not_make_it_speech() {
        for before in [
            "\u{feff}",
            "\u{200b}",
            " \u{feff}\n",
            "\u{2060}\u{200d}\u{ad} \u{200e}",
        ] {
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
    fn a_text_that_begins_within_a_thought_is_heard_from_its_end_on() {
        let mark = Mark::that_opens("<think>").unwrap();
        for (text, expected) in [
            ("I should say hi.</think>\nHi.", "\nHi."),
            ("a</think><think>b</think>Hi.", "Hi."),
            ("<think>a</think>Hi.", "Hi."),
            ("What does <think> mean?</think>Hi.", "Hi."),
            ("</reasoning> or </thinking>?</THINK >Hi.", "Hi."),
            (
                "They ask about marks.</think>You write <think> before and </think> after it.",
                "You write <think> before and </think> after it.",
            ),
            ("I should say hi, but nobody ended that.", ""),
        ] {
            for size in [1, 3, 100] {
                let characters: Vec<char> = text.chars().collect();
                let mut filter = Filter::within(mark);
                let mut said = String::new();
                for piece in characters.chunks(size) {
                    said.push_str(&filter.push(&piece.iter().collect::<String>()).unwrap());
                }
                said.push_str(&filter.finish());
                assert_eq!(said, expected, "{text} {size}");
            }
        }
        assert_eq!(Mark::that_opens("<|channel|>final"), None);
        assert_eq!(Mark::that_opens("analysis"), None);
    }

    #[test]
    fn a_tag_may_have_blanks_and_attributes() {
        for text in [
            "<think >secret</think>Hi.",
            "<think effort=\"high\">secret</think >Hi.",
            "<THINK\n>secret</Think\t>Hi.",
            "<Reasoning lang='en' n=1 >secret</reasoning>Hi.",
            "<reflection>secret</reflection><scratchpad>more</scratchpad>Hi.",
        ] {
            for size in 1..text.len() {
                assert_eq!(said_in_pieces(text, size).as_deref(), Ok("Hi."), "{text} {size}");
            }
            assert_eq!(whole(text), Ok("Hi."), "{text}");
            assert!(
                said_in_pieces(&format!("a {text}"), 3).is_ok(),
                "between words: {text}"
            );
        }
        let long = format!("<think {}>Hi.", "x".repeat(MOST_ATTRIBUTES));
        assert_eq!(
            said_in_pieces(&long, 7).as_deref(),
            Ok(&*long),
            "nobody waits for ever"
        );
        assert_eq!(said_in_pieces("so </think >Hi.", 3), Err(ThoughtsWereSpoken));
    }

    #[test]
    fn a_thought_in_a_code_fence_is_one() {
        for (text, expected) in [
            ("```\n<think>secret</think>\n```\nHi.", "\nHi."),
            ("```\n<think>secret</think>\nHi.\n```", "```\n\nHi.\n```"),
            ("~~~xml\n <thinking>secret</thinking>\n~~~\nHi.", "\nHi."),
            ("```<think>secret</think>```", ""),
            (
                "```\n<think>a</think>\n```\n```\n<think>b</think>\n```\nHi.",
                "\nHi.",
            ),
            (
                "```\n<think>a</think>\n```python\nx = 1\n```",
                "```python\nx = 1\n```",
            ),
            ("```\n<think>secret", ""),
            ("```\nx = 1\n```", "```\nx = 1\n```"),
            ("```\n<b>Hi</b>", "```\n<b>Hi</b>"),
            (
                "`<think>` begins it, `</think>` ends it.",
                "`<think>` begins it, `</think>` ends it.",
            ),
            ("``", "``"),
        ] {
            for size in 1..=text.len() {
                let said = said_in_pieces(text, size);
                assert_eq!(
                    said.as_deref().map(str::trim),
                    Ok(expected.trim()),
                    "{text} {size}"
                );
            }
        }
        assert_eq!(whole("```json\n<think>{\"choice\": 1}"), Err(NothingButThoughts));
    }

    #[test]
    fn letters_that_are_no_word_begin_the_thoughts_of_gpt_oss() {
        for (text, expected) in [
            ("analysisThe user greets.assistantfinalHi.", "Hi."),
            (
                "analysiswe greet.assistantanalysisor not?assistantfinal Hi.",
                " Hi.",
            ),
            ("analysisThe user greets.", ""),
            ("analysis of your data: fine", "analysis of your data: fine"),
            ("Analysis: fine", "Analysis: fine"),
            ("an assistant", "an assistant"),
            ("analysis", "analysis"),
        ] {
            for size in 1..text.len() {
                assert_eq!(
                    said_in_pieces(text, size).as_deref(),
                    Ok(expected),
                    "{text} {size}"
                );
            }
        }
        assert_eq!(whole("analysisMaybe {1}.assistantfinal{0}"), Ok("{0}"));
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
