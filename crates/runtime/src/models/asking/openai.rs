//! Chat completions, as OpenAI and many others are asked for them.

use serde_json::{Map, Value, json};

use super::super::options::Effort;
use super::{Asked, set};

pub(super) fn body(asked: &Asked<'_>) -> Map<String, Value> {
    let options = asked.options;
    let mut body = Map::new();
    set(&mut body, "model", Some(asked.model));
    set(&mut body, "stream", Some(true));
    if writes_a_cache_unasked(asked.model) {
        set(
            &mut body,
            "prompt_cache_options",
            Some(json!({"mode": "explicit"})),
        );
    }
    set(&mut body, "reasoning_effort", options.effort.and_then(word));
    set(&mut body, "verbosity", options.verbosity.as_deref());
    let messages = json!([
        {"role": "system", "content": asked.system},
        {"role": "user", "content": asked.user},
    ]);
    set(&mut body, "messages", Some(messages));
    let form = options.schema.as_ref().map(|schema| {
        json!({"type": "json_schema", "json_schema": {"name": "answer", "strict": true, "schema": schema}})
    });
    set(&mut body, "response_format", form);
    set(&mut body, "stream_options", Some(json!({"include_usage": true})));
    set(&mut body, "temperature", options.temperature);
    let limit = if counts_thoughts_in(asked.model) {
        "max_completion_tokens"
    } else {
        "max_tokens"
    };
    set(&mut body, limit, options.max_tokens);
    set(&mut body, "top_p", options.top_p);
    set(&mut body, "seed", options.seed);
    body
}

/// Returns `true` if a model of OpenAI's is limited by its completion, thoughts and all, and knows no `max_tokens`.
fn counts_thoughts_in(model: &str) -> bool {
    ["gpt-5", "gpt-6", "o1", "o3", "o4"]
        .iter()
        .any(|family| model.starts_with(family))
}

/// Returns `true` if a model of OpenAI's charges for writing a cache, unless it is told to leave that to the request:
/// GPT-5.6 and later.
fn writes_a_cache_unasked(model: &str) -> bool {
    let version = model
        .strip_prefix("gpt")
        .map(|rest| rest.strip_prefix('-').unwrap_or(rest))
        .and_then(|rest| rest.split('-').next());
    let Some(version) = version else {
        return false;
    };
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    match (major.parse::<u32>(), minor.parse::<u32>()) {
        (Ok(major), Ok(minor)) => (major, minor) >= (5, 6),
        _ => false,
    }
}

/// Returns the word for an effort; a number of tokens has none.
fn word(effort: Effort) -> Option<&'static str> {
    match effort {
        Effort::Zero => Some("none"),
        Effort::Minimal => Some("minimal"),
        Effort::Low => Some("low"),
        Effort::Medium => Some("medium"),
        Effort::High => Some("high"),
        Effort::XHigh => Some("xhigh"),
        Effort::Max => Some("max"),
        Effort::Budget(_) => None,
    }
}
