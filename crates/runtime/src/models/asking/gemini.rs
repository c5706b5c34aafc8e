//! Contents, as Gemini is asked for them.

use serde_json::{Map, Value, json};

use super::super::options::Effort;
use super::{Asked, set};

pub(super) fn body(asked: &Asked<'_>) -> Map<String, Value> {
    let options = asked.options;
    let mut config = Map::new();
    let thinking = options.effort.and_then(|effort| thinking(asked.model, effort));
    set(&mut config, "thinkingConfig", thinking);
    if let Some(schema) = &options.schema {
        set(&mut config, "responseMimeType", Some("application/json"));
        set(&mut config, "responseJsonSchema", Some(schema.clone()));
    }
    set(&mut config, "temperature", options.temperature);
    set(&mut config, "maxOutputTokens", options.max_tokens);
    set(&mut config, "topP", options.top_p);
    // The others have it where what is passed on belongs.
    set(&mut config, "topK", options.rest.get("top_k").cloned());
    set(&mut config, "seed", options.seed);
    let mut body = Map::new();
    let system = json!({"parts": [{"text": asked.system}]});
    set(&mut body, "systemInstruction", Some(system));
    let contents = json!([{"role": "user", "parts": [{"text": asked.user}]}]);
    set(&mut body, "contents", Some(contents));
    let config = Some(config).filter(|config| !config.is_empty());
    set(&mut body, "generationConfig", config);
    body
}

/// Returns how much a model is to think: a level for those that have levels, or a number of tokens.
fn thinking(model: &str, effort: Effort) -> Option<Value> {
    if model.contains("gemini-3") || model.contains("gemma-4") {
        let level = match effort {
            Effort::Zero | Effort::Budget(_) => return None,
            Effort::Minimal => "MINIMAL",
            Effort::Low => "LOW",
            Effort::Medium => "MEDIUM",
            Effort::High | Effort::XHigh | Effort::Max => "HIGH",
        };
        return Some(json!({"thinkingLevel": level}));
    }
    let budget = match effort {
        Effort::Zero => return None,
        Effort::Minimal | Effort::Low => 1000,
        Effort::Medium => 8000,
        Effort::High | Effort::XHigh | Effort::Max => 24_000,
        Effort::Budget(budget) => budget,
    };
    Some(json!({"thinkingBudget": budget}))
}
