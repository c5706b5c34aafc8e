//! Interactions: the named places where a model is called.

/// The interactions that Forge's own prompts use.
///
/// Preferences for others are kept, because a runtime may have prompts of its own, but a plan warns about them: a
/// mistyped name silently changes nothing.
pub const KNOWN_LLM_INTERACTIONS: &[&str] = &[
    "call-tool",
    "choose-tools",
    "decide",
    "engage-user",
    "evaluate-exit-conditions",
    "evaluate-metric",
    "generate-queries",
    "recall",
    "recommend-responses",
    "reflect",
    "select-action",
    "select-behavior",
    "simulate-user",
];

/// Returns `true` if some prompt of Forge uses an interaction of that name.
pub fn is_known(interaction: &str) -> bool {
    KNOWN_LLM_INTERACTIONS.contains(&interaction)
}
