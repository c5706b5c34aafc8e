//! Contents, as Gemini streams them.

use serde_json::Value;

use super::{Failure, Said, ToldError, text, tokens};

pub(super) fn read(frame: &Value) -> Result<Said, Failure> {
    ToldError::in_field(frame)?;
    if text(frame, "/promptFeedback/blockReason").is_some() {
        return Err(Failure::refused(
            "the provider's filter of contents stopped the prompt",
        ));
    }
    let usage = |name: &str| tokens(&frame["usageMetadata"][name]);
    let mut said = Said {
        prompt_tokens: usage("promptTokenCount"),
        completion_tokens: usage("candidatesTokenCount")
            .map(|said| said + usage("thoughtsTokenCount").unwrap_or(0)),
        ..Said::default()
    };
    let candidate = &frame["candidates"][0];
    for part in candidate["content"]["parts"].as_array().into_iter().flatten() {
        if part["thought"].as_bool() == Some(true) {
            said.is_thought = true;
        } else {
            said.text.push_str(text(part, "/text").unwrap_or_default());
        }
    }
    said.reason = text(candidate, "/finishReason").map(str::to_owned);
    said.is_last = said.reason.is_some();
    Ok(said)
}
