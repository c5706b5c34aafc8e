//! What a preference asks of a model.

use serde_json::{Map, Value};

use crate::Limits;

/// The parameters of a preference, as far as every provider has words of its own for them.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) temperature: Option<f64>,
    pub(super) top_p: Option<f64>,
    pub(super) seed: Option<u64>,
    pub(super) max_tokens: Option<u32>,
    pub(super) verbosity: Option<String>,
    pub(super) effort: Option<Effort>,
    /// The JSON Schema that the provider holds its model to.
    pub(super) schema: Option<Value>,
    /// What is passed on as it is.
    pub(super) rest: Map<String, Value>,
}

/// How much a model thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    Zero,
    Minimal,
    Low,
    Medium,
    High,
    XHigh,
    Max,
    /// So many tokens.
    Budget(u32),
}

impl Effort {
    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "zero" | "none" => Self::Zero,
            "minimal" => Self::Minimal,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "xhigh" => Self::XHigh,
            "max" => Self::Max,
            _ => return None,
        })
    }
}

impl Options {
    /// Reads the parameters of a preference.
    ///
    /// Those that are not known, or cannot be used, are passed on as they are.
    pub(super) fn of(params: &Map<String, Value>, limits: &Limits) -> Self {
        let mut options = Self {
            max_tokens: Some(limits.answer_tokens),
            ..Self::default()
        };
        let small = |value: &Value| value.as_u64().and_then(|n| u32::try_from(n).ok());
        for (name, value) in params {
            let is_known = match name.as_str() {
                "temperature" => set(&mut options.temperature, value.as_f64()),
                "top_p" => set(&mut options.top_p, value.as_f64()),
                "seed" => set(&mut options.seed, value.as_u64()),
                "max_tokens" => set(&mut options.max_tokens, small(value)),
                "verbosity" => {
                    let word = value
                        .as_str()
                        .filter(|word| ["low", "medium", "high"].contains(word));
                    set(&mut options.verbosity, word.map(str::to_owned))
                }
                "reasoning_effort" => set(&mut options.effort, value.as_str().and_then(Effort::from_word)),
                "thinking_budget" => {
                    // Below zero, Gemini decides by itself, as it does without a budget.
                    options.effort = small(value).map(|budget| match budget {
                        0 => Effort::Zero,
                        budget => Effort::Budget(budget),
                    });
                    true
                }
                _ => false,
            };
            if !is_known {
                options.rest.insert(name.clone(), value.clone());
            }
        }
        // Thinking counts as a part of the answer, and how much a model thinks is preferred already.
        if options.effort.is_some() && !params.contains_key("max_tokens") {
            options.max_tokens = None;
        }
        options
    }
}

/// Sets an option that has a usable value, and tells whether it has.
fn set<T>(option: &mut Option<T>, value: Option<T>) -> bool {
    let is_usable = value.is_some();
    if is_usable {
        *option = value;
    }
    is_usable
}
