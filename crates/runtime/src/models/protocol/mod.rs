//! What providers say in their streams, frame by frame.
//!
//! A new protocol is a file here, its reasons to stop in `reasons.rs`, a file for what it is asked in [`super::asking`], and a
//! few lines in `docs/models.md`.

mod anthropic;
mod gemini;
mod ollama;
mod openai;
mod reasons;
mod told;

use serde_json::Value;

use super::frames::Cut;
use super::request::Failure;
use reasons::Meaning;
use told::ToldError;
pub(super) use told::{milliseconds, refusal_of};

/// How many frames that say nothing are passed over in one stream: some gateways keep a connection alive with them.
const MOST_EMPTY_FRAMES: u32 = 10_000;

/// Where a limit of tokens comes from.
const LIMIT: &str = " (`max_tokens` of the model's parameters, or `runtime.max_answer_tokens`)";

/// What a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    OpenAi,
    Anthropic,
    Gemini,
    Ollama,
}

impl Protocol {
    /// What its streams are cut into.
    pub(super) fn cut(self) -> Cut {
        match self {
            Self::Ollama => Cut::Lines,
            Self::OpenAi | Self::Anthropic | Self::Gemini => Cut::Events,
        }
    }
}

/// What one frame says.
#[derive(Debug, Default, PartialEq)]
struct Said {
    text: String,
    /// Whether it is about what the model thinks, in a field of its own.
    is_thought: bool,
    /// The model's own words of why it does not answer stand in it.
    is_refusal: bool,
    prompt_tokens: Option<i64>,
    completion_tokens: Option<i64>,
    /// Why the model stopped.
    reason: Option<String>,
    /// Whether nothing follows.
    is_last: bool,
}

/// An answer, as far as it was read.
#[derive(Debug)]
pub(super) struct Reading {
    protocol: Protocol,
    /// What was not taken yet.
    text: String,
    has_thoughts: bool,
    is_refused: bool,
    reason: Option<String>,
    is_over: bool,
    empty_frames: u32,
    failure: Option<Failure>,
    pub(super) prompt_tokens: Option<i64>,
    pub(super) completion_tokens: Option<i64>,
}

impl Reading {
    pub(super) fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            text: String::new(),
            has_thoughts: false,
            is_refused: false,
            reason: None,
            is_over: false,
            empty_frames: 0,
            failure: None,
            prompt_tokens: None,
            completion_tokens: None,
        }
    }

    /// Reads the next frame.
    pub(super) fn frame(&mut self, data: &str) {
        let data = data.trim();
        // Comments have no data.
        if self.is_over() || data.is_empty() {
            return;
        }
        if self.protocol == Protocol::OpenAi && data == "[DONE]" {
            self.is_over = true;
            return;
        }
        match serde_json::from_str::<Value>(data) {
            Ok(frame @ Value::Object(_)) => self.object(&frame),
            // Some of the answer may be in there.
            _ if data.contains('{') => {
                self.failure = Some(Failure::setup(
                    "the provider's answer is no answer of its protocol",
                ));
            }
            // No event of any protocol: a comment that went astray, say.
            _ => self.empty(),
        }
    }

    fn object(&mut self, frame: &Value) {
        let said = match self.protocol {
            Protocol::OpenAi => openai::read(frame),
            Protocol::Anthropic => anthropic::read(frame),
            Protocol::Gemini => gemini::read(frame),
            Protocol::Ollama => ollama::read(frame),
        };
        let said = match said {
            Ok(said) => said,
            Err(failure) => {
                self.failure = Some(failure);
                return;
            }
        };
        if said == Said::default() {
            self.empty();
            return;
        }
        self.text.push_str(&said.text);
        self.has_thoughts |= said.is_thought;
        self.is_refused |= said.is_refusal;
        self.is_over |= said.is_last;
        self.prompt_tokens = said.prompt_tokens.or(self.prompt_tokens);
        self.completion_tokens = said.completion_tokens.or(self.completion_tokens);
        // What cut the answer off is not taken back by another reason after it.
        let is_whole = |reason: &String| matches!(Meaning::of(self.protocol, reason), Meaning::Whole);
        if said.reason.is_some() && self.reason.as_ref().is_none_or(is_whole) {
            self.reason = said.reason;
        }
    }

    fn empty(&mut self) {
        self.empty_frames += 1;
        if self.empty_frames > MOST_EMPTY_FRAMES {
            self.failure = Some(Failure::setup(
                "the provider sends events that say nothing, and no end",
            ));
        }
    }

    /// Returns the text that came since it was asked last.
    pub(super) fn take_text(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    /// Returns `true` if there is anything to do about what was read: a text, an end, a failure.
    pub(super) fn has_news(&self) -> bool {
        !self.text.is_empty() || self.is_over()
    }

    /// Returns `true` if nothing that follows matters.
    pub(super) fn is_over(&self) -> bool {
        self.is_over || self.failure.is_some()
    }

    /// Returns `true` if what was read is a whole answer, once nothing follows.
    ///
    /// Only a reason that is known to be the end of one makes it one. `has_text` says whether anything but thoughts is
    /// in it.
    pub(super) fn check(&self, has_text: bool) -> Result<(), Failure> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        if self.is_refused {
            return Err(Failure::refused("the model refused to answer"));
        }
        let Some(reason) = &self.reason else {
            return Err(if self.is_over {
                Failure::cut_off("the answer ended without a reason to stop")
            } else {
                Failure::temporary("the answer broke off")
            });
        };
        match Meaning::of(self.protocol, reason) {
            Meaning::Whole => Ok(()),
            Meaning::CutOff if self.has_thoughts && !has_text => Err(Failure::cut_off(format!(
                "the model was still thinking when it reached the limit of its tokens{LIMIT}"
            ))),
            Meaning::CutOff => Err(Failure::cut_off(format!(
                "the limit of tokens cut the answer off{LIMIT}"
            ))),
            Meaning::Filtered => Err(Failure::refused(
                "the provider's filter of contents stopped the answer",
            )),
            Meaning::Unknown => Err(Failure::cut_off(format!(
                "the model stopped for a reason that is not known to be the end of an answer{}",
                quoted(reason)
            ))),
        }
    }
}

/// Quotes a reason, unless it is more than a word: nobody knows what else a provider writes there.
fn quoted(reason: &str) -> String {
    let is_word = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    if reason.len() <= 40 && reason.chars().all(is_word) {
        format!(": `{reason}`")
    } else {
        String::new()
    }
}

/// Returns a text in a value, if one is there.
fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer)?.as_str().filter(|text| !text.is_empty())
}

/// How many tokens a provider may say that it used, far more than any has ever read: sums of such numbers are numbers.
const MOST_TOKENS: u64 = 1 << 40;

/// Returns how many tokens a provider says that it used; `None` if that is no number of things.
fn tokens(said: &Value) -> Option<i64> {
    i64::try_from(said.as_u64()?.min(MOST_TOKENS)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::request::FailureKind;

    fn read(protocol: Protocol, frames: &[&str]) -> (String, Result<(), Failure>) {
        let mut reading = Reading::new(protocol);
        for frame in frames {
            reading.frame(frame);
        }
        let text = reading.take_text();
        let checked = reading.check(!text.is_empty());
        (text, checked)
    }

    fn kind(result: Result<(), Failure>) -> FailureKind {
        result.unwrap_err().kind
    }

    const HI: &str = r#"{"choices":[{"index":0,"delta":{"content":"Hi."},"finish_reason":null}]}"#;
    const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;

    #[test]
    fn an_answer_is_whole_only_with_a_reason() {
        assert_eq!(
            read(Protocol::OpenAi, &[HI, STOP, "[DONE]"]),
            ("Hi.".to_owned(), Ok(()))
        );
        assert_eq!(
            read(Protocol::OpenAi, &[HI, STOP]).1,
            Ok(()),
            "some servers end without a mark"
        );
        assert_eq!(kind(read(Protocol::OpenAi, &[HI]).1), FailureKind::Temporary);
        assert_eq!(
            kind(read(Protocol::OpenAi, &[HI, "[DONE]"]).1),
            FailureKind::CutOff
        );
    }

    #[test]
    fn what_keeps_a_connection_alive_is_passed_over_within_a_bound() {
        let keep_alive = [": keepalive", "", "ping", "null", "[]", r#"{"choices":[]}"#, "{}"];
        let frames = [keep_alive.as_slice(), &[HI, ": keepalive", STOP]].concat();
        assert_eq!(read(Protocol::OpenAi, &frames), ("Hi.".to_owned(), Ok(())));
        let frames = vec![": keepalive"; MOST_EMPTY_FRAMES as usize + 1];
        assert_eq!(kind(read(Protocol::OpenAi, &frames).1), FailureKind::Setup);
    }

    #[test]
    fn a_frame_that_is_broken_may_have_been_a_part_of_the_answer() {
        let frames = [HI, r#"{"choices":[{"index":0,"delta":{"content":"no"#, STOP];
        assert_eq!(kind(read(Protocol::OpenAi, &frames).1), FailureKind::Setup);
    }

    #[test]
    fn an_error_that_is_null_is_none() {
        let frames =
            [r#"{"error":null,"choices":[{"index":0,"delta":{"content":"Hi."},"finish_reason":"stop"}]}"#];
        assert_eq!(read(Protocol::OpenAi, &frames), ("Hi.".to_owned(), Ok(())));
        let frames =
            [r#"{"error":null,"candidates":[{"content":{"parts":[{"text":"Hi."}]},"finishReason":"STOP"}]}"#];
        assert_eq!(read(Protocol::Gemini, &frames), ("Hi.".to_owned(), Ok(())));
        let frames = [r#"{"error":null,"message":{"content":"Hi."},"done":true,"done_reason":"stop"}"#];
        assert_eq!(read(Protocol::Ollama, &frames), ("Hi.".to_owned(), Ok(())));
    }

    #[test]
    fn a_refusal_is_no_answer() {
        for delta in [
            r#"{"refusal":"I cannot."}"#,
            r#"{"content":"Hm.","refusal":"I cannot."}"#,
        ] {
            let frame = format!(r#"{{"choices":[{{"index":0,"delta":{delta},"finish_reason":"stop"}}]}}"#);
            assert_eq!(
                kind(read(Protocol::OpenAi, &[&frame]).1),
                FailureKind::Refused,
                "{delta}"
            );
        }
        let blocked = r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":3}}"#;
        assert_eq!(kind(read(Protocol::Gemini, &[blocked]).1), FailureKind::Refused);
    }

    #[test]
    fn no_number_of_tokens_is_too_large_to_be_added_up_or_less_than_none() {
        let counts = |said: &str| {
            let openai =
                format!(r#"{{"choices":[],"usage":{{"prompt_tokens":{said},"completion_tokens":{said}}}}}"#);
            let anthropic = format!(
                r#"{{"type":"message_delta","delta":{{}},"usage":{{"input_tokens":{said},"cache_read_input_tokens":{said},
                "cache_creation_input_tokens":{said},"output_tokens":{said}}}}}"#
            );
            let gemini = format!(
                r#"{{"usageMetadata":{{"promptTokenCount":{said},"candidatesTokenCount":{said},"thoughtsTokenCount":{said}}}}}"#
            );
            let ollama = format!(r#"{{"prompt_eval_count":{said},"eval_count":{said}}}"#);
            let frames = [
                (Protocol::OpenAi, openai),
                (Protocol::Anthropic, anthropic),
                (Protocol::Gemini, gemini),
                (Protocol::Ollama, ollama),
            ];
            frames.map(|(protocol, frame)| {
                let mut reading = Reading::new(protocol);
                reading.frame(&frame);
                [reading.prompt_tokens, reading.completion_tokens]
            })
        };
        for huge in ["9223372036854775807", "18446744073709551615"] {
            for count in counts(huge).into_iter().flatten() {
                let count = count.unwrap();
                assert!((1 << 40..=3 << 40).contains(&count), "{huge}: {count}");
            }
        }
        for nonsense in ["-5", "1.5", "\"3\"", "null"] {
            assert_eq!(counts(nonsense), [[None; 2]; 4], "{nonsense}");
        }
    }

    #[test]
    fn what_cut_an_answer_off_is_not_taken_back() {
        let choice = |text: &str, reason: &str| {
            format!(
                r#"{{"choices":[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":{reason}}}]}}"#
            )
        };
        for (reason, expected) in [
            ("length", FailureKind::CutOff),
            ("content_filter", FailureKind::Refused),
        ] {
            let mut reading = Reading::new(Protocol::OpenAi);
            reading.frame(&choice("Take two tablets of", &format!("\"{reason}\"")));
            reading.frame(&choice("", "\"stop\""));
            reading.frame("[DONE]");
            assert_eq!(reading.check(true).unwrap_err().kind, expected, "{reason}");
        }
        let mut reading = Reading::new(Protocol::OpenAi);
        reading.frame(&choice("Half", "\"stop\""));
        reading.frame(&choice("", "\"length\""));
        assert_eq!(reading.check(true).unwrap_err().kind, FailureKind::CutOff);
    }

    #[test]
    fn other_choices_are_no_part_of_the_answer() {
        let mut reading = Reading::new(Protocol::OpenAi);
        reading.frame(r#"{"choices":[{"index":1,"delta":{"content":"OTHER"},"finish_reason":"length"}]}"#);
        reading.frame(r#"{"choices":[{"index":1,"delta":{"content":"X"}},{"index":0,"delta":{"content":"A"},"finish_reason":"stop"}]}"#);
        assert_eq!(reading.take_text(), "A");
        assert_eq!(reading.check(true), Ok(()));
    }

    #[test]
    fn usage_alone_is_no_error() {
        let frames = [
            r#"{"candidates":[{"content":{"parts":[{"text":"Hi."}]}}]}"#,
            r#"{"usageMetadata":{"promptTokenCount":30,"candidatesTokenCount":2,"thoughtsTokenCount":2}}"#,
            r#"{"candidates":[{"finishReason":"STOP"}]}"#,
        ];
        let mut reading = Reading::new(Protocol::Gemini);
        for frame in frames {
            reading.frame(frame);
        }
        assert_eq!(
            (reading.prompt_tokens, reading.completion_tokens),
            (Some(30), Some(4))
        );
        assert_eq!(reading.check(true), Ok(()));
    }

    #[test]
    fn whoever_is_still_thinking_at_the_limit_is_said_to_be() {
        for (protocol, frame) in [
            (
                Protocol::OpenAi,
                r#"{"choices":[{"delta":{"reasoning_content":"hm"},"finish_reason":"length"}]}"#,
            ),
            (
                Protocol::Gemini,
                r#"{"candidates":[{"content":{"parts":[{"text":"hm","thought":true}]},"finishReason":"MAX_TOKENS"}]}"#,
            ),
            (
                Protocol::Ollama,
                r#"{"message":{"content":"","thinking":"hm"},"done":true,"done_reason":"length"}"#,
            ),
        ] {
            let (text, checked) = read(protocol, &[frame]);
            let failure = checked.unwrap_err();
            assert_eq!((text.as_str(), failure.kind), ("", FailureKind::CutOff));
            assert!(failure.reason.contains("still thinking"), "{}", failure.reason);
        }
    }

    #[test]
    fn a_reason_is_quoted_only_if_it_is_a_word() {
        for (reason, told) in [("error", true), ("your key sk-1 is wrong", false)] {
            let frame =
                serde_json::json!({"choices": [{"delta": {"content": "Hi."}, "finish_reason": reason}]});
            let failure = read(Protocol::OpenAi, &[&frame.to_string()]).1.unwrap_err();
            assert_eq!(failure.kind, FailureKind::CutOff);
            assert_eq!(failure.reason.contains('`'), told, "{}", failure.reason);
        }
    }
}
