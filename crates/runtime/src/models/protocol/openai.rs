//! Chat completions, as OpenAI and many others stream them.

use serde_json::Value;

use super::{Failure, Said, ToldError, text, tokens};

pub(super) fn read(frame: &Value) -> Result<Said, Failure> {
    ToldError::in_field(frame)?;
    let mut said = Said {
        prompt_tokens: frame.pointer("/usage/prompt_tokens").and_then(tokens),
        completion_tokens: frame.pointer("/usage/completion_tokens").and_then(tokens),
        ..Said::default()
    };
    // Nobody asked for more than one answer; what a server sends of others is no part of the first.
    let is_first = |choice: &&Value| choice["index"].as_u64().unwrap_or(0) == 0;
    let choices = frame["choices"].as_array();
    let Some(choice) = choices.and_then(|choices| choices.iter().find(is_first)) else {
        return Ok(said);
    };
    // One choice may have an error of its own.
    ToldError::in_field(choice)?;
    said.reason = text(choice, "/finish_reason").map(str::to_owned);
    let delta = &choice["delta"];
    said.is_refusal = text(delta, "/refusal").is_some();
    said.is_thought = text(delta, "/reasoning_content").is_some() || text(delta, "/reasoning").is_some();
    match &delta["content"] {
        Value::String(content) => said.text.clone_from(content),
        // Mistral's reasoning models tell thoughts and texts apart by their types.
        Value::Array(parts) => {
            for part in parts {
                match text(part, "/type") {
                    Some("text") => said.text.push_str(text(part, "/text").unwrap_or_default()),
                    Some("thinking") => said.is_thought = true,
                    Some("refusal") => said.is_refusal = true,
                    _ => {}
                }
            }
        }
        _ => {}
    }
    Ok(said)
}
