//! Messages, as Anthropic is asked for them.

use serde_json::{Map, Value, json};

use super::super::options::Effort;
use super::claude::Claude;
use super::{Asked, set};

/// The version of the protocol.
pub(super) const VERSION: &str = "2023-06-01";

pub(super) fn body(asked: &Asked<'_>) -> Map<String, Value> {
    let options = asked.options;
    let claude = Claude::named(asked.model);
    let mut body = Map::new();
    set(&mut body, "model", Some(asked.model));
    set(&mut body, "stream", Some(true));
    set(&mut body, "system", Some(asked.system));
    let messages = json!([{"role": "user", "content": asked.user}]);
    set(&mut body, "messages", Some(messages));
    set(
        &mut body,
        "thinking",
        options.effort.and_then(|effort| thinking(&claude, effort)),
    );
    let mut output = Map::new();
    set(
        &mut output,
        "effort",
        options.effort.and_then(|effort| word(&claude, effort)),
    );
    let schema = options.schema.as_ref();
    let form = schema.map(|schema| json!({"type": "json_schema", "schema": schema}));
    set(&mut output, "format", form);
    set(
        &mut body,
        "output_config",
        Some(output).filter(|output| !output.is_empty()),
    );
    set(&mut body, "temperature", options.temperature);
    // It insists on one.
    let max_tokens = options.max_tokens.unwrap_or_else(|| claude.most_tokens());
    set(&mut body, "max_tokens", Some(max_tokens));
    set(&mut body, "top_p", options.top_p);
    body
}

/// Returns the word for an effort, if the model knows any.
fn word(claude: &Claude<'_>, effort: Effort) -> Option<&'static str> {
    let word = match effort {
        Effort::Zero | Effort::Budget(_) => return None,
        Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::XHigh if claude.knows_xhigh() => "xhigh",
        Effort::Max if claude.knows_max() => "max",
        Effort::High | Effort::XHigh | Effort::Max => "high",
    };
    claude.knows_effort().then_some(word)
}

/// Returns how a model is to think; without that, it does as it is used to.
fn thinking(claude: &Claude<'_>, effort: Effort) -> Option<Value> {
    let budget = match effort {
        Effort::Zero => {
            return claude.thinks_unasked().then(|| json!({"type": "disabled"}));
        }
        Effort::Budget(budget) => Some(budget),
        _ => None,
    };
    if claude.decides_how_to_think() {
        return Some(match budget {
            Some(budget) => json!({"type": "adaptive", "budget_tokens": budget}),
            None => json!({"type": "adaptive"}),
        });
    }
    if claude.knows_effort() && budget.is_none() {
        return None;
    }
    let budget = budget.unwrap_or(match effort {
        Effort::Minimal | Effort::Low => 1024,
        Effort::Medium => 8000,
        _ => 24_000,
    });
    Some(json!({"type": "enabled", "budget_tokens": budget}))
}
