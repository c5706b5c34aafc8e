//! Models that somebody serves over HTTP, through `genai`.

use std::fmt;

use futures_util::StreamExt as _;
use genai::adapter::AdapterKind;
use genai::chat::{
    ChatMessage, ChatOptions, ChatRequest, ChatStreamEvent, JsonSpec, ReasoningEffort, StopReason, StreamEnd,
    Verbosity,
};
use genai::resolver::{AuthData, Endpoint};
use genai::{Client, ModelIden, ServiceTarget};
use serde_json::{Map, Value, json};

use super::Script;
use super::call::Backend;
use super::request::{Answer, Failure, Pieces};
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
    client: Client,
    adapter: AdapterKind,
    endpoint: Endpoint,
    auth: AuthData,
    answer_format: AnswerFormat,
}

impl fmt::Debug for Hosted {
    /// Leaves the key out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosted")
            .field("adapter", &self.adapter)
            .finish_non_exhaustive()
    }
}

impl Hosted {
    fn new(
        http: &reqwest::Client,
        adapter: AdapterKind,
        base_url: &str,
        key: Option<String>,
        answer_format: AnswerFormat,
    ) -> Result<Self, String> {
        let client = Client::builder().with_reqwest(http.clone()).build();
        Ok(Self {
            client: client.map_err(|error| error.to_string())?,
            adapter,
            // The library joins paths to it.
            endpoint: Endpoint::from_owned(format!("{}/", base_url.trim_end_matches('/'))),
            // The library insists on a key, also where the server does not look at it.
            auth: AuthData::from_single(key.unwrap_or_else(|| "none".to_owned())),
            answer_format,
        })
    }

    pub(super) async fn call(
        &self,
        model: &str,
        prompt: &Prompt,
        params: &Map<String, Value>,
        limits: &Limits,
        mut pieces: Option<&mut Pieces<'_>>,
    ) -> Result<Answer, Failure> {
        let target = ServiceTarget {
            endpoint: self.endpoint.clone(),
            auth: self.auth.clone(),
            model: ModelIden::new(self.adapter, model),
        };
        let request = ChatRequest::new(vec![ChatMessage::user(prompt.user.as_str())])
            .with_system(prompt.system.as_str());
        let mut options = options(self.adapter, params, limits);
        self.answer_format.apply(&prompt.shape, &mut options);
        let response = self
            .client
            .exec_chat_stream(target, request, Some(&options))
            .await;
        let mut stream = response.map_err(|error| failure(&error))?.stream;
        let mut answer = Answer::default();
        let mut is_complete = false;
        while let Some(event) = stream.next().await {
            match event.map_err(|error| failure(&error))? {
                ChatStreamEvent::Chunk(mut chunk) => {
                    // A database may have no text with it, and nobody means it.
                    chunk.content.retain(|character| character != '\0');
                    answer.text.push_str(&chunk.content);
                    if answer.text.len() > limits.answer_bytes {
                        let reason = format!("the answer is longer than {} bytes", limits.answer_bytes);
                        return Err(Failure::lasting(reason));
                    }
                    if let Some(pieces) = pieces.as_deref_mut() {
                        pieces.push(&chunk.content).await;
                    }
                }
                ChatStreamEvent::End(end) => {
                    note_usage(&mut answer, &end);
                    is_complete = self.is_complete(&end)?;
                }
                _ => {}
            }
        }
        if is_complete {
            Ok(answer)
        } else {
            Err(Failure::temporary("the answer broke off"))
        }
    }

    /// Tells whether a model came to its end. Of some protocols, the library makes up an end where the connection was
    /// closed before; only the reason to stop is missing then.
    fn is_complete(&self, end: &StreamEnd) -> Result<bool, Failure> {
        match &end.captured_stop_reason {
            Some(StopReason::ContentFilter(_)) => Err(Failure::lasting(
                "the provider's filter of contents stopped the answer",
            )),
            Some(_) => Ok(true),
            None => Ok(!matches!(self.adapter, AdapterKind::Gemini | AdapterKind::Ollama)),
        }
    }
}

impl Backend {
    pub(super) fn new(
        http: &reqwest::Client,
        kind: ProviderKind,
        answer_format: AnswerFormat,
    ) -> Result<Self, String> {
        let or = |url: Option<String>, default: &str| url.unwrap_or_else(|| default.to_owned());
        let (adapter, base_url, key) = match kind {
            ProviderKind::OpenAiCompatible { base_url, key } => (AdapterKind::OpenAI, base_url, key),
            ProviderKind::Anthropic { base_url, key } => (
                AdapterKind::Anthropic,
                or(base_url, "https://api.anthropic.com/v1/"),
                key,
            ),
            ProviderKind::Gemini { base_url, key } => {
                let url = or(base_url, "https://generativelanguage.googleapis.com/v1beta/");
                (AdapterKind::Gemini, url, key)
            }
            ProviderKind::Ollama { base_url } => {
                (AdapterKind::Ollama, or(base_url, "http://localhost:11434/"), None)
            }
            ProviderKind::Scripted(script) => return Ok(Self::Scripted(script)),
        };
        Hosted::new(http, adapter, &base_url, key, answer_format).map(Self::Hosted)
    }
}

impl AnswerFormat {
    fn apply(self, shape: &Shape, options: &mut ChatOptions) {
        match (self, shape) {
            (Self::JsonObject, Shape::Closed(schema) | Shape::Open(schema)) => {
                let mut body = match options.extra_body.take() {
                    Some(Value::Object(body)) => body,
                    _ => Map::new(),
                };
                // Whoever prefers parameters of their own for an interaction knows better.
                body.entry("response_format")
                    .or_insert(json!({"type": "json_object", "schema": schema}));
                options.extra_body = Some(Value::Object(body));
            }
            (Self::JsonSchema, Shape::Closed(schema)) => {
                options.response_format = Some(JsonSpec::new("answer", schema.clone()).into());
            }
            (Self::Text, _) | (_, Shape::Text) | (Self::JsonSchema, Shape::Open(_)) => {}
        }
    }
}

fn note_usage(answer: &mut Answer, end: &StreamEnd) {
    if let Some(usage) = &end.captured_usage {
        answer.prompt_tokens = usage.prompt_tokens.map(i64::from);
        answer.completion_tokens = usage.completion_tokens.map(i64::from);
    }
}

/// Translates the parameters of a preference. Those that the library has no name for are passed on as they are.
fn options(adapter: AdapterKind, params: &Map<String, Value>, limits: &Limits) -> ChatOptions {
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

/// Says what happened in words of our own: the library's quote what was sent and received.
fn failure(error: &genai::Error) -> Failure {
    // What goes wrong in a stream is wrapped.
    if let genai::Error::WebStream { error, .. } = error {
        if let Some(inner) = error.downcast_ref::<genai::Error>() {
            return failure(inner);
        }
        if let Some(inner) = error.downcast_ref::<reqwest::Error>() {
            return connection_failure(inner);
        }
    }
    if let Some(status) = error.status() {
        let reason = format!("the provider answered with status {}", status.as_u16());
        let is_temporary = status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429);
        let retry_after = error.headers().and_then(|headers| headers.get("retry-after"));
        let seconds = retry_after.and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
        return Failure {
            reason,
            is_temporary,
            retry_after_ms: seconds.map(|seconds| seconds.saturating_mul(1000)),
        };
    }
    match error {
        genai::Error::WebModelCall { webc_error, .. } | genai::Error::WebAdapterCall { webc_error, .. } => {
            match webc_error {
                genai::webc::Error::Reqwest(error) => connection_failure(error),
                _ => Failure::lasting("the provider's answer is no answer of its protocol"),
            }
        }
        genai::Error::WebStream { .. } => Failure::temporary("the connection to the provider failed"),
        genai::Error::ChatResponse { .. } => {
            Failure::temporary("the provider told of an error instead of answering")
        }
        _ => Failure::lasting("the provider's answer is no answer of its protocol"),
    }
}

fn connection_failure(error: &reqwest::Error) -> Failure {
    Failure::temporary(if error.is_connect() {
        "the provider cannot be connected to"
    } else {
        "the connection to the provider broke off"
    })
}
