//! Messages, as Anthropic streams them.

use serde_json::Value;

use super::{Failure, Said, ToldError, text, tokens};

pub(super) fn read(frame: &Value) -> Result<Said, Failure> {
    ToldError::in_field(frame)?;
    let mut said = Said::default();
    match text(frame, "/type") {
        Some("message_start") => {
            let usage = &frame["message"]["usage"];
            note_usage(&mut said, usage);
        }
        Some("content_block_start") => match text(frame, "/content_block/type") {
            Some("text") => text(frame, "/content_block/text")
                .unwrap_or_default()
                .clone_into(&mut said.text),
            Some("thinking" | "redacted_thinking") => said.is_thought = true,
            _ => {}
        },
        Some("content_block_delta") => match text(frame, "/delta/type") {
            Some("text_delta") => text(frame, "/delta/text")
                .unwrap_or_default()
                .clone_into(&mut said.text),
            Some("thinking_delta" | "signature_delta") => said.is_thought = true,
            _ => {}
        },
        Some("message_delta") => {
            said.reason = text(frame, "/delta/stop_reason").map(str::to_owned);
            note_usage(&mut said, &frame["usage"]);
        }
        Some("message_stop") => said.is_last = true,
        // Those that are added to the protocol may be ignored, it says.
        _ => {}
    }
    Ok(said)
}

fn note_usage(said: &mut Said, usage: &Value) {
    let count = |name: &str| tokens(&usage[name]);
    // What was read from a cache, or written into it, is a part of the prompt.
    said.prompt_tokens = count("input_tokens").map(|fresh| {
        let cached = count("cache_creation_input_tokens").unwrap_or(0);
        fresh + cached + count("cache_read_input_tokens").unwrap_or(0)
    });
    said.completion_tokens = count("output_tokens");
}
