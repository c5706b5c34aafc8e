//! What played providers say, in the protocol of each.

use std::time::Duration;

use forge_runtime::ProviderKind;
use serde_json::{Value, json};

use crate::played::{KEY, Provider, Reply};

/// The protocols, by the names that `docs/models.md` has for them.
pub(crate) const PROTOCOLS: [&str; 4] = ["openai-compatible", "anthropic", "gemini", "ollama"];

/// Returns a provider's settings for the address of one that is played.
pub(crate) fn kind(protocol: &str, provider: &Provider) -> ProviderKind {
    let base_url = format!("http://{}/", provider.address);
    let key = Some(KEY.to_owned());
    match protocol {
        "anthropic" => ProviderKind::Anthropic {
            base_url: Some(base_url),
            key,
        },
        "gemini" => ProviderKind::Gemini {
            base_url: Some(base_url),
            key,
        },
        "ollama" => ProviderKind::Ollama {
            base_url: Some(base_url),
        },
        "openai-compatible" => ProviderKind::OpenAiCompatible { base_url, key },
        other => panic!("{other}"),
    }
}

/// Returns an answer in pieces that stopped for a reason, with thoughts in the field that the protocol has for them.
pub(crate) fn speech(protocol: &str, thoughts: &str, pieces: &[&str], reason: &str) -> Reply {
    let frames = match protocol {
        "anthropic" => anthropic(thoughts, pieces, reason),
        "gemini" => gemini(thoughts, pieces, reason),
        "ollama" => ollama(thoughts, pieces, reason),
        "openai-compatible" => openai(thoughts, pieces, reason),
        other => panic!("{other}"),
    };
    frames_of(protocol, frames)
}

/// Returns frames as a provider of the protocol sends them.
pub(crate) fn frames_of(protocol: &str, frames: Vec<String>) -> Reply {
    let content_type = if protocol == "ollama" {
        "application/x-ndjson"
    } else {
        "text/event-stream"
    };
    let ends = if protocol == "ollama" { "\n" } else { "\n\n" };
    let frames: Vec<String> = frames.into_iter().map(|frame| frame + ends).collect();
    Reply::Frames(content_type, frames, Duration::ZERO)
}

fn data(value: &Value) -> String {
    format!("data: {value}")
}

fn openai(thoughts: &str, pieces: &[&str], reason: &str) -> Vec<String> {
    let chunk = |delta: Value, reason: Value| {
        data(&json!({"error": null, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}))
    };
    let mut frames = vec![chunk(
        json!({"role": "assistant", "content": "", "refusal": null}),
        Value::Null,
    )];
    if !thoughts.is_empty() {
        frames.push(chunk(json!({"reasoning_content": thoughts}), Value::Null));
        frames.push(chunk(
            json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": thoughts}]}]}),
            Value::Null,
        ));
    }
    frames.extend(
        pieces
            .iter()
            .map(|piece| chunk(json!({"content": piece}), Value::Null)),
    );
    frames.push(chunk(json!({}), json!(reason)));
    frames.push(data(
        &json!({"choices": [], "usage": {"prompt_tokens": 30, "completion_tokens": 4}}),
    ));
    frames.push("data: [DONE]".to_owned());
    frames
}

fn anthropic(thoughts: &str, pieces: &[&str], reason: &str) -> Vec<String> {
    let event = |value: Value| format!("event: {}\ndata: {value}", value["type"].as_str().unwrap());
    let message = json!({"id": "m", "type": "message", "role": "assistant", "content": [], "model": "care-7b",
        "usage": {"input_tokens": 30, "output_tokens": 1}});
    let delta = |index: u32, delta: Value| {
        event(json!({"type": "content_block_delta", "index": index, "delta": delta}))
    };
    let stop = |index: u32| event(json!({"type": "content_block_stop", "index": index}));
    let mut frames = vec![
        event(json!({"type": "message_start", "message": message})),
        event(json!({"type": "ping"})),
    ];
    if !thoughts.is_empty() {
        let block = json!({"type": "thinking", "thinking": "", "signature": ""});
        frames.push(event(
            json!({"type": "content_block_start", "index": 0, "content_block": block}),
        ));
        frames.push(delta(0, json!({"type": "thinking_delta", "thinking": thoughts})));
        frames.push(delta(0, json!({"type": "signature_delta", "signature": "EqQB"})));
        frames.push(stop(0));
    }
    let block = json!({"type": "text", "text": ""});
    frames.push(event(
        json!({"type": "content_block_start", "index": 1, "content_block": block}),
    ));
    frames.extend(
        pieces
            .iter()
            .map(|text| delta(1, json!({"type": "text_delta", "text": text}))),
    );
    frames.push(stop(1));
    frames.push(event(
        json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 4}}),
    ));
    frames.push(event(json!({"type": "message_stop"})));
    frames
}

fn gemini(thoughts: &str, pieces: &[&str], reason: &str) -> Vec<String> {
    let usage = json!({"promptTokenCount": 30, "candidatesTokenCount": 4, "totalTokenCount": 34});
    let chunk = |part: Value| {
        data(
            &json!({"candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}], "usageMetadata": usage}),
        )
    };
    let mut frames = Vec::new();
    if !thoughts.is_empty() {
        frames.push(chunk(json!({"text": thoughts, "thought": true})));
    }
    frames.extend(pieces.iter().map(|text| chunk(json!({"text": text}))));
    frames.push(data(&json!({"usageMetadata": usage})));
    frames.push(data(
        &json!({"candidates": [{"finishReason": reason, "index": 0}], "usageMetadata": usage}),
    ));
    frames
}

fn ollama(thoughts: &str, pieces: &[&str], reason: &str) -> Vec<String> {
    let line = |field: &str, text: &str| {
        let mut message = json!({"role": "assistant", "content": ""});
        message[field] = json!(text);
        json!({"message": message, "done": false}).to_string()
    };
    let mut frames = Vec::new();
    if !thoughts.is_empty() {
        frames.push(line("thinking", thoughts));
    }
    frames.extend(pieces.iter().map(|text| line("content", text)));
    let message = json!({"role": "assistant", "content": ""});
    let last = json!({"message": message, "done": true, "done_reason": reason, "prompt_eval_count": 30, "eval_count": 4});
    frames.push(last.to_string());
    frames
}
