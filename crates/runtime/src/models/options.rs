//! What a preference asks of a model, in the words of its provider.

use genai::adapter::AdapterKind;
use genai::chat::{ChatOptions, ReasoningEffort, Verbosity};
use serde_json::{Map, Value, json};

use crate::Limits;

/// Translates the parameters of a preference. Those that the library has no name for are passed on as they are.
pub(super) fn options(adapter: AdapterKind, params: &Map<String, Value>, limits: &Limits) -> ChatOptions {
    let mut options = ChatOptions {
        capture_usage: Some(true),
        normalize_reasoning_content: Some(true),
        max_tokens: Some(limits.answer_tokens),
        ..ChatOptions::default()
    };
    let mut rest = Map::new();
    for (name, value) in params {
        let is_known = match name.as_str() {
            "temperature" => set(&mut options.temperature, value.as_f64()),
            "top_p" => set(&mut options.top_p, value.as_f64()),
            "seed" => set(&mut options.seed, value.as_u64()),
            "max_tokens" => set(
                &mut options.max_tokens,
                value.as_u64().and_then(|n| u32::try_from(n).ok()),
            ),
            "verbosity" => set(
                &mut options.verbosity,
                value.as_str().and_then(Verbosity::from_keyword),
            ),
            "reasoning_effort" => {
                let effort = value.as_str().and_then(|name| match name {
                    "minimal" => Some(ReasoningEffort::Minimal),
                    name => ReasoningEffort::from_keyword(name),
                });
                set(&mut options.reasoning_effort, effort)
            }
            "thinking_budget" => {
                // Below zero, Gemini decides by itself, as it does without a budget.
                let budget = value.as_u64().and_then(|n| u32::try_from(n).ok());
                options.reasoning_effort = budget.map(|budget| match budget {
                    0 => ReasoningEffort::Zero,
                    budget => ReasoningEffort::Budget(budget),
                });
                true
            }
            _ => false,
        };
        if !is_known {
            rest.insert(name.clone(), value.clone());
        }
    }
    // Thinking counts as a part of the answer, and how much a model thinks is preferred already.
    if options.reasoning_effort.is_some() && !params.contains_key("max_tokens") {
        options.max_tokens = None;
    }
    // Gemini has its sampling parameters in an object, which replaces the library's own.
    if adapter == AdapterKind::Gemini
        && let Some(top_k) = rest.remove("top_k")
    {
        let mut config = Map::from_iter([("topK".to_owned(), top_k)]);
        let known = [
            ("temperature", options.temperature.map(Value::from)),
            ("topP", options.top_p.map(Value::from)),
            ("seed", options.seed.map(Value::from)),
            ("maxOutputTokens", options.max_tokens.map(Value::from)),
        ];
        config.extend(
            known
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?))),
        );
        if let Some(ReasoningEffort::Budget(budget)) = options.reasoning_effort {
            config.insert("thinkingConfig".to_owned(), json!({"thinkingBudget": budget}));
        }
        rest.insert("generationConfig".to_owned(), Value::Object(config));
    }
    if !rest.is_empty() {
        options.extra_body = Some(Value::Object(rest));
    }
    options
}

/// Sets an option that has a usable value, and tells whether it has.
fn set<T>(option: &mut Option<T>, value: Option<T>) -> bool {
    let is_usable = value.is_some();
    if is_usable {
        *option = value;
    }
    is_usable
}
