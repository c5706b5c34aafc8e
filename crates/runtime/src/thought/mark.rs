//! The marks that models put around their thoughts.

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
pub(super) const FINAL: &str = "<|channel|>final";

/// The most bytes that may stand between the name in a mark and its end.
pub(super) const MOST_ATTRIBUTES: usize = 200;

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
    pub(super) fn paired() -> impl Iterator<Item = Self> {
        let is_paired = |mark: &Self| mark.open != FINAL && mark.form != Form::Bare;
        MARKS.into_iter().filter(is_paired)
    }

    /// Finds the mark that thoughts begin with for a server which keeps it to itself.
    pub(crate) fn that_opens(open: &str) -> Option<Self> {
        Self::paired().find(|mark| mark.open.eq_ignore_ascii_case(open))
    }

    /// Returns `true` if its letters are a mark only at the beginning of a text.
    #[cfg(test)]
    pub(super) fn is_bare(self) -> bool {
        self.form == Form::Bare
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
    pub(super) fn closings(self, text: &str) -> impl Iterator<Item = Range<usize>> {
        places(text, self.close, move |rest| self.close_at(rest))
    }

    /// Returns where the first mark stands in a text, each time.
    pub(super) fn openings(self, text: &str) -> impl Iterator<Item = Range<usize>> {
        places(text, self.open, move |rest| self.open_at(rest))
    }

    /// Returns where, in a text that begins with the first mark or within the thought, the thought ends and the rest
    /// begins.
    pub(super) fn end_in(self, text: &str) -> Option<usize> {
        self.closings(text).next().map(|close| self.end_of(&close))
    }

    /// Returns where the rest begins after a second mark.
    pub(super) fn end_of(self, close: &Range<usize>) -> usize {
        // What the answer of gpt-oss begins with is a mark of its own.
        if self.close == FINAL {
            close.start
        } else {
            close.end
        }
    }

    /// Returns `true` if a second mark stands somewhere that no first one belongs to.
    pub(super) fn is_unopened_in(self, text: &str) -> bool {
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

/// Returns the mark that a text begins with, if it begins with one.
pub(super) fn mark_at_the_beginning(text: &str) -> Option<Mark> {
    MARKS
        .into_iter()
        .find(|mark| mark.open_at(text).length().is_some())
}

/// Returns `true` if a text may become one that begins with a mark.
pub(super) fn may_become_a_thought(text: &str) -> bool {
    MARKS.iter().any(|mark| mark.open_at(text) == Withheld::MayBegin)
}
