//! Language models that a set prefers.

use forge_testkit::version_set;
use serde_json::{Value, json};

/// A model whose parameters are checked.
pub(crate) const MODEL: &str = "aws_claude-sonnet-4-6";

/// Returns what a set pins, with a preferred model and its parameters.
pub(crate) fn with_model(pins: Value, interaction: &str, model: &str, params: Value) -> Value {
    let mut pins = pins;
    pins["llm_model_preferences"][interaction] = json!({"llm_name": model, "params": params});
    pins
}

/// Returns a version set whose preferences have about 190 KiB.
pub(crate) fn large_set(number: usize) -> Value {
    let name = |position: usize| format!("{number}-{position:0>180}");
    let pins = (0..800).fold(version_set(1, 1), |pins, position| {
        with_model(pins, &name(position), MODEL, json!({}))
    });
    json!({"version_set": pins})
}
