//! Why a turn could not be taken.

/// A turn could not be taken.
///
/// Nothing of it counts: the conversation is as it was before, and can go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuntimeError {
    /// Nobody serves the model that the interaction prefers, or no model is configured at all.
    #[error(
        "no provider is configured for model `{model}`, which interaction `{interaction}` uses; see `[[providers]]` in forge.toml"
    )]
    NoProvider {
        /// The named interaction.
        interaction: String,
        /// The model.
        model: String,
    },
    /// The provider does not answer, or is not asked at the moment because it did not answer often enough.
    #[error("model `{model}` cannot be reached now, interaction `{interaction}`: {reason}")]
    Unavailable {
        /// The named interaction.
        interaction: String,
        /// The model.
        model: String,
        /// What happened; never a key or a prompt.
        reason: String,
    },
    /// The provider, or the model, does not answer this prompt. Others may be answered, this one will not be.
    #[error("model `{model}` refuses interaction `{interaction}`: {reason}")]
    Refused {
        /// The named interaction.
        interaction: String,
        /// The model.
        model: String,
        /// What happened; never a key or a prompt.
        reason: String,
    },
    /// What the model answered is not known to be the whole of its answer.
    #[error("model `{model}` gave no whole answer, interaction `{interaction}`: {reason}")]
    CutOff {
        /// The named interaction.
        interaction: String,
        /// The model.
        model: String,
        /// What happened; never a key or a prompt.
        reason: String,
    },
    /// The provider does not accept calls of this installation, or is not what its settings say. Its operator has to
    /// look.
    #[error(
        "the provider of model `{model}` does not accept this server's calls, interaction `{interaction}`: {reason}; its operator has to look at `[[providers]]` in forge.toml"
    )]
    Setup {
        /// The named interaction.
        interaction: String,
        /// The model.
        model: String,
        /// What happened; never a key or a prompt.
        reason: String,
    },
    /// The model answered, but not what it was asked for, however often it was asked.
    #[error(
        "model `{model}` gave no usable answer in {attempts} attempts, interaction `{interaction}`: {reason}"
    )]
    Unusable {
        /// The named interaction.
        interaction: String,
        /// The model.
        model: String,
        /// How often it was asked.
        attempts: u32,
        /// What was wrong with the last answer.
        reason: String,
    },
    /// A limit of one turn was reached.
    #[error("the turn was given up: {0}")]
    Limit(String),
    /// A tool that had to be called could not be.
    #[error("tool `{tool}` failed: {reason}")]
    Tool {
        /// The tool.
        tool: String,
        /// What happened.
        reason: String,
    },
    /// What the conversation runs on does not hang together; the rules of context graphs exclude it.
    #[error("the context graph cannot be walked: {0}")]
    Graph(String),
}
