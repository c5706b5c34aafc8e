//! Chats, as Ollama streams them: a line each.

use serde_json::Value;

use super::{Failure, Said, ToldError, text, tokens};

pub(super) fn read(frame: &Value) -> Result<Said, Failure> {
    ToldError::in_field(frame)?;
    let message = &frame["message"];
    Ok(Said {
        text: text(message, "/content").unwrap_or_default().to_owned(),
        is_thought: text(message, "/thinking").is_some(),
        prompt_tokens: tokens(&frame["prompt_eval_count"]),
        completion_tokens: tokens(&frame["eval_count"]),
        reason: text(frame, "/done_reason").map(str::to_owned),
        is_last: frame["done"].as_bool() == Some(true),
        ..Said::default()
    })
}
