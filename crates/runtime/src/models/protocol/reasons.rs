//! Why models stop, in the words of each protocol.

use super::Protocol;

/// What a reason to stop means for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The model came to its end.
    Whole,
    /// A limit of tokens stopped it.
    CutOff,
    /// It was not let go on, or did not want to.
    Filtered,
    /// Nobody says that the answer is whole.
    Unknown,
}

/// Every reason that is known.
///
/// Whatever is not here is [`Meaning::Unknown`], and so are those that are here as such, to be tested. `docs/models.md`
/// has them as a table.
const REASONS: &[(Protocol, Meaning, &[&str])] = &[
    (
        Protocol::OpenAi,
        Meaning::Whole,
        &["stop", "eos", "eos_token", "end_turn", "stop_sequence"],
    ),
    (
        Protocol::OpenAi,
        Meaning::CutOff,
        &["length", "max_tokens", "model_length"],
    ),
    (
        Protocol::OpenAi,
        Meaning::Filtered,
        &["content_filter", "refusal", "safety"],
    ),
    (
        Protocol::OpenAi,
        Meaning::Unknown,
        &["error", "tool_calls", "function_call", "abort", "cancelled"],
    ),
    (
        Protocol::Anthropic,
        Meaning::Whole,
        &["end_turn", "stop_sequence"],
    ),
    (
        Protocol::Anthropic,
        Meaning::CutOff,
        &["max_tokens", "model_context_window_exceeded"],
    ),
    (Protocol::Anthropic, Meaning::Filtered, &["refusal"]),
    (
        Protocol::Anthropic,
        Meaning::Unknown,
        &["tool_use", "pause_turn", "compaction"],
    ),
    (Protocol::Gemini, Meaning::Whole, &["STOP"]),
    (Protocol::Gemini, Meaning::CutOff, &["MAX_TOKENS"]),
    (
        Protocol::Gemini,
        Meaning::Filtered,
        &[
            "SAFETY",
            "RECITATION",
            "LANGUAGE",
            "BLOCKLIST",
            "PROHIBITED_CONTENT",
            "SPII",
            "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT",
            "IMAGE_RECITATION",
        ],
    ),
    (
        Protocol::Gemini,
        Meaning::Unknown,
        &[
            "OTHER",
            "FINISH_REASON_UNSPECIFIED",
            "MALFORMED_FUNCTION_CALL",
            "UNEXPECTED_TOOL_CALL",
            "TOO_MANY_TOOL_CALLS",
            "NO_IMAGE",
            "IMAGE_OTHER",
        ],
    ),
    (Protocol::Ollama, Meaning::Whole, &["stop"]),
    (Protocol::Ollama, Meaning::CutOff, &["length"]),
    (Protocol::Ollama, Meaning::Unknown, &["load", "unload"]),
];

impl Meaning {
    pub(super) fn of(protocol: Protocol, reason: &str) -> Self {
        REASONS
            .iter()
            .find(|(of, _, reasons)| *of == protocol && reasons.contains(&reason))
            .map_or(Self::Unknown, |(_, meaning, _)| *meaning)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::thought::MARKS;

    /// Returns the tables of the docs.
    fn tables() -> String {
        let mut tables = String::from("| protocol | reason to stop | means |\n|---|---|---|\n");
        for (protocol, meaning, reasons) in REASONS {
            let protocol = match protocol {
                Protocol::OpenAi => "openai-compatible",
                Protocol::Anthropic => "anthropic",
                Protocol::Gemini => "gemini",
                Protocol::Ollama => "ollama",
            };
            let meaning = match meaning {
                Meaning::Whole => "the answer is whole",
                Meaning::CutOff => "cut off by a limit of tokens",
                Meaning::Filtered => "refused",
                Meaning::Unknown => "not known to be whole",
            };
            let reasons: Vec<String> = reasons.iter().map(|reason| format!("`{reason}`")).collect();
            let _ = writeln!(tables, "| `{protocol}` | {} | {meaning} |", reasons.join(", "));
        }
        tables.push_str("\n| a thought begins with | and ends with | in answers of |\n|---|---|---|\n");
        for mark in MARKS {
            // A bar would end the cell.
            let cell = |mark: &str| mark.replace('|', "\\|");
            let _ = writeln!(
                tables,
                "| `{}` | `{}` | {} |",
                cell(mark.open),
                cell(mark.close),
                mark.of
            );
        }
        tables
    }

    #[test]
    fn the_page_lists_the_reasons_and_the_marks() {
        const BEGIN: &str =
            "<!-- reasons and marks: written by `UPDATE_GOLDEN=1 cargo test -p forge-runtime` -->\n";
        const END: &str = "<!-- end of reasons and marks -->\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/models.md");
        let page = std::fs::read_to_string(path).unwrap();
        let (before, rest) = page.split_once(BEGIN).unwrap();
        let (found, after) = rest.split_once(END).unwrap();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(path, format!("{before}{BEGIN}{}{END}{after}", tables())).unwrap();
        } else {
            assert_eq!(
                found,
                tables(),
                "run with UPDATE_GOLDEN=1 to rewrite docs/models.md"
            );
        }
    }

    #[test]
    fn a_reason_that_nobody_knows_is_not_the_end_of_an_answer() {
        assert_eq!(Meaning::of(Protocol::OpenAi, "sideways"), Meaning::Unknown);
        assert_eq!(Meaning::of(Protocol::OpenAi, "STOP"), Meaning::Unknown);
        assert_eq!(Meaning::of(Protocol::Gemini, "stop"), Meaning::Unknown);
    }
}
