//! Prompts that no conversation can do with.

/// What a model is told in some state of a context graph, whatever was said, is longer than a prompt may be: whoever
/// comes to that state comes no further.
///
/// Which state it is stays untold: who may change a set need not be allowed to read its context graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LongPrompt {
    /// How long it is, without anything that was said.
    pub bytes: usize,
    /// How long a prompt may be.
    pub most: usize,
}

impl LongPrompt {
    /// The word that stands for it in plans and in health.
    pub(crate) const CODE: &'static str = "prompt_too_long";

    pub(crate) fn message(&self) -> String {
        let Self { bytes, most } = self;
        format!(
            "what a model is told in one of its states has {bytes} bytes before anybody has said a word, and a prompt has \
             {most} at most"
        )
    }
}
