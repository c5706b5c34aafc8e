//! What an installation says about a provider.

use std::fmt;

use super::Script;

/// A provider, as an installation configures it.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// The name that models refer to.
    pub name: String,
    /// What it speaks, and where it is.
    pub kind: ProviderKind,
    /// How it holds a model to the form of an answer.
    pub answer_format: AnswerFormat,
    /// What the thoughts of its models begin with, where it puts that into the prompt and does not send it: `<think>`,
    /// say.
    pub swallowed_mark: Option<String>,
}

/// How a provider holds a model to the form of an answer that is more than text.
///
/// Answers are read the same way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AnswerFormat {
    /// It does not: the prompt asks for it.
    #[default]
    Text,
    /// By a JSON object of a schema, as `llama.cpp` and `llama-cpp-python` have it; others ignore the schema.
    JsonObject,
    /// By a JSON Schema, as OpenAI, Anthropic and Gemini have it.
    JsonSchema,
}

/// What a provider speaks, and where it is.
#[derive(Clone)]
pub enum ProviderKind {
    /// Chat completions as OpenAI has them, at any base URL such as `https://api.openai.com/v1/`.
    OpenAiCompatible {
        /// What comes before `chat/completions`.
        base_url: String,
        /// The key, if it wants one.
        key: Option<String>,
    },
    /// Anthropic's messages.
    Anthropic {
        /// Another address than the public one.
        base_url: Option<String>,
        /// The key.
        key: Option<String>,
    },
    /// Google's Gemini API.
    Gemini {
        /// Another address than the public one.
        base_url: Option<String>,
        /// The key.
        key: Option<String>,
    },
    /// Ollama.
    Ollama {
        /// Another address than the local one.
        base_url: Option<String>,
    },
    /// Answers from a script, for tests and dry runs.
    Scripted(Script),
}

impl fmt::Debug for ProviderKind {
    /// Leaves the key out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenAiCompatible { .. } => "OpenAiCompatible",
            Self::Anthropic { .. } => "Anthropic",
            Self::Gemini { .. } => "Gemini",
            Self::Ollama { .. } => "Ollama",
            Self::Scripted(_) => "Scripted",
        })
    }
}
