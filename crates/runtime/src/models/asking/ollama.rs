//! Chats, as Ollama is asked for them.

use serde_json::{Map, Value, json};

use super::super::options::Effort;
use super::{Asked, set};

pub(super) fn body(asked: &Asked<'_>) -> Map<String, Value> {
    let options = asked.options;
    let mut own = Map::new();
    set(&mut own, "temperature", options.temperature);
    set(&mut own, "top_p", options.top_p);
    set(&mut own, "num_predict", options.max_tokens);
    set(&mut own, "seed", options.seed);
    let mut body = Map::new();
    set(&mut body, "model", Some(asked.model));
    set(&mut body, "stream", Some(true));
    set(&mut body, "options", Some(own).filter(|own| !own.is_empty()));
    let messages = json!([
        {"role": "system", "content": asked.system},
        {"role": "user", "content": asked.user},
    ]);
    set(&mut body, "messages", Some(messages));
    set(&mut body, "think", options.effort.map(thinking));
    body
}

/// Returns whether a model is to think, or how much.
fn thinking(effort: Effort) -> Value {
    match effort {
        Effort::Zero => json!(false),
        Effort::Minimal | Effort::Low => json!("low"),
        Effort::Medium => json!("medium"),
        Effort::High => json!("high"),
        Effort::XHigh | Effort::Max => json!("max"),
        // It knows no number of tokens.
        Effort::Budget(_) => json!(true),
    }
}
