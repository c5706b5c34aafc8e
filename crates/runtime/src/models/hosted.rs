//! Models that somebody serves over HTTP.

use std::fmt;

use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout_at};

use super::Script;
use super::asking::{Asked, Door};
use super::call::Backend;
use super::options::Options;
use super::protocol::Protocol;
use super::request::{Answer, Failure, Pieces, too_long};
use super::stream::Stream;
use crate::Limits;
use crate::prompt::{Prompt, Shape};

/// A provider, as an installation configures it.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// The name that models refer to.
    pub name: String,
    /// What it speaks, and where it is.
    pub kind: ProviderKind,
    /// How it holds a model to the form of an answer.
    pub answer_format: AnswerFormat,
    /// What the thoughts of its models begin with, where it puts that into the prompt and does not send it: `<think>`, say.
    pub swallowed_mark: Option<String>,
}

/// How a provider holds a model to the form of an answer that is more than text. Answers are read the same way.
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

/// A provider over HTTP.
#[derive(Clone)]
pub(super) struct Hosted {
    http: reqwest::Client,
    protocol: Protocol,
    door: Door,
    answer_format: AnswerFormat,
}

impl fmt::Debug for Hosted {
    /// Leaves the key out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosted")
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}

impl Hosted {
    pub(super) async fn call(
        &self,
        model: &str,
        prompt: &Prompt,
        params: &Map<String, Value>,
        limits: &Limits,
        mut pieces: Option<&mut Pieces<'_>>,
    ) -> Result<Answer, Failure> {
        let mut options = Options::of(params, limits);
        self.answer_format.apply(&prompt.shape, &mut options);
        let asked = Asked {
            model,
            system: &prompt.system,
            user: &prompt.user,
            options: &options,
        };
        let request = self.http.post(self.door.url(model)).headers(self.door.headers());
        let request = request.json(&self.door.body(&asked));
        let deadline = Instant::now() + limits.model_call_time;
        let mut stream = Stream::open(self.protocol, request, deadline, limits).await?;
        let mut answer = Answer::default();
        let slow = || Failure::slow(too_long(limits));
        let mut is_open = true;
        while is_open {
            is_open = match timeout_at(deadline, stream.next()).await {
                Ok(next) => next?,
                Err(_) if answer.text.is_empty() && !stream.reading.has_thoughts() => {
                    // So far, it may as well be dead.
                    return Err(Failure::temporary(too_long(limits)));
                }
                Err(_) => return Err(slow()),
            };
            let text = stream.reading.take_text();
            answer.text.push_str(&text);
            if answer.text.len() > limits.answer_bytes {
                let reason = format!("the answer is longer than {} bytes", limits.answer_bytes);
                return Err(Failure::cut_off(reason));
            }
            if let Some(pieces) = pieces.as_deref_mut() {
                let heard = timeout_at(deadline, pieces.push(&text)).await;
                heard.map_err(|_| slow())??;
            }
        }
        answer.prompt_tokens = stream.reading.prompt_tokens;
        answer.completion_tokens = stream.reading.completion_tokens;
        stream.reading.check(has_answer(&answer.text))?;
        if let Some(pieces) = pieces {
            timeout_at(deadline, pieces.end()).await.map_err(|_| slow())?;
        }
        Ok(answer)
    }
}

/// Tells whether a text has more than thoughts.
fn has_answer(text: &str) -> bool {
    crate::answer::text(text).is_ok_and(|answer| !answer.is_empty())
}

impl Backend {
    pub(super) fn new(
        http: &reqwest::Client,
        kind: ProviderKind,
        answer_format: AnswerFormat,
    ) -> Result<Self, String> {
        let or = |url: Option<String>, default: &str| url.unwrap_or_else(|| default.to_owned());
        let (protocol, base_url, key) = match kind {
            ProviderKind::OpenAiCompatible { base_url, key } => (Protocol::OpenAi, base_url, key),
            ProviderKind::Anthropic { base_url, key } => (
                Protocol::Anthropic,
                or(base_url, "https://api.anthropic.com/v1/"),
                key,
            ),
            ProviderKind::Gemini { base_url, key } => {
                let url = or(base_url, "https://generativelanguage.googleapis.com/v1beta/");
                (Protocol::Gemini, url, key)
            }
            ProviderKind::Ollama { base_url } => {
                (Protocol::Ollama, or(base_url, "http://localhost:11434/"), None)
            }
            ProviderKind::Scripted(script) => return Ok(Self::Scripted(script)),
        };
        Ok(Self::Hosted(Hosted {
            http: http.clone(),
            protocol,
            door: Door::new(protocol, &base_url, key.as_deref())?,
            answer_format,
        }))
    }
}

impl AnswerFormat {
    fn apply(self, shape: &Shape, options: &mut Options) {
        match (self, shape) {
            (Self::JsonObject, Shape::Closed(schema) | Shape::Open(schema)) => {
                // Whoever prefers parameters of their own for an interaction knows better.
                options
                    .rest
                    .entry("response_format")
                    .or_insert(json!({"type": "json_object", "schema": schema}));
            }
            (Self::JsonSchema, Shape::Closed(schema)) => options.schema = Some(schema.clone()),
            (Self::Text, _) | (_, Shape::Text) | (Self::JsonSchema, Shape::Open(_)) => {}
        }
    }
}
