//! Models that somebody serves over HTTP, through `genai`.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use futures_util::StreamExt as _;
use genai::adapter::AdapterKind;
use genai::chat::{
    ChatFrameSink, ChatMessage, ChatOptions, ChatRequest, ChatStream, FrameCtx, JsonSpec, RawFrameRef,
};
use genai::resolver::{AuthData, Endpoint};
use genai::{Client, ModelIden, ServiceTarget};
use reqwest::header::HeaderMap;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout_at};

use super::Script;
use super::call::{Backend, too_long};
use super::options::options;
use super::protocol::{Protocol, Reading, milliseconds, refusal_of};
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
    protocol: Protocol,
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
        protocol: Protocol,
        base_url: &str,
        key: Option<String>,
        answer_format: AnswerFormat,
    ) -> Result<Self, String> {
        let client = Client::builder().with_reqwest(http.clone()).build();
        Ok(Self {
            client: client.map_err(|error| error.to_string())?,
            protocol,
            adapter: match protocol {
                Protocol::OpenAi => AdapterKind::OpenAI,
                Protocol::Anthropic => AdapterKind::Anthropic,
                Protocol::Gemini => AdapterKind::Gemini,
                Protocol::Ollama => AdapterKind::Ollama,
            },
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
        let frames = Frames::of(self.protocol);
        let mut options = options(self.adapter, params, limits);
        options.raw_frame_sink = Some(frames.clone());
        self.answer_format.apply(&prompt.shape, &mut options);
        let deadline = Instant::now() + limits.model_call_time;
        let asked = self.client.exec_chat_stream(target, request, Some(&options));
        let response = timeout_at(deadline, asked)
            .await
            .map_err(|_| Failure::temporary(too_long(limits)))?;
        let mut stream = response.map_err(|error| failure(&error))?.stream;
        let mut answer = Answer::default();
        let slow = || Failure::slow(too_long(limits));
        let mut is_open = true;
        while is_open {
            let next = timeout_at(deadline, frames.next(&mut stream)).await;
            is_open = match next {
                Ok(next) => next?,
                Err(_) if answer.text.is_empty() && !frames.reading().has_thoughts() => {
                    // So far, it may as well be dead.
                    return Err(Failure::temporary(too_long(limits)));
                }
                Err(_) => return Err(slow()),
            };
            let text = frames.reading().take_text();
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
        {
            let reading = frames.reading();
            answer.prompt_tokens = reading.prompt_tokens;
            answer.completion_tokens = reading.completion_tokens;
            reading.check(has_answer(&answer.text))?;
        }
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

/// The frames of a stream, read as they come.
struct Frames(Mutex<Reading>);

impl ChatFrameSink for Frames {
    fn on_frame(&self, _: &FrameCtx, frame: RawFrameRef<'_>) {
        self.reading().frame(frame.data);
    }
}

impl Frames {
    fn of(protocol: Protocol) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Reading::new(protocol))))
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is something to do about what was read, and tells whether more may follow.
    ///
    /// What the library makes of a frame does not matter, not even if it cannot make anything of it; but what befell the
    /// connection does.
    async fn next(&self, stream: &mut ChatStream) -> Result<bool, Failure> {
        poll_fn(|context| {
            loop {
                let polled = stream.poll_next_unpin(context);
                if self.reading().is_over() {
                    return Poll::Ready(Ok(false));
                }
                match polled {
                    Poll::Ready(None) => return Poll::Ready(Ok(false)),
                    Poll::Ready(Some(Err(error))) if is_of_connection(&error) => {
                        return Poll::Ready(Err(failure(&error)));
                    }
                    _ if self.reading().has_news() => return Poll::Ready(Ok(true)),
                    Poll::Ready(Some(_)) => {}
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await
    }
}

/// Tells whether an error is about more than one frame.
fn is_of_connection(error: &genai::Error) -> bool {
    !matches!(
        error,
        genai::Error::StreamParse { .. }
            | genai::Error::ChatResponse { .. }
            | genai::Error::InvalidJsonResponseElement { .. }
            | genai::Error::JsonValueExt(_)
            | genai::Error::SerdeJson(_)
    )
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
        Hosted::new(http, protocol, &base_url, key, answer_format).map(Self::Hosted)
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
        let mut failure = refusal_of(status.as_u16(), body_of(error));
        let asked = error.headers().and_then(retry_after_ms);
        failure.retry_after_ms = failure.retry_after_ms.max(asked);
        return failure;
    }
    match error {
        genai::Error::WebModelCall { webc_error, .. } | genai::Error::WebAdapterCall { webc_error, .. } => {
            match webc_error {
                genai::webc::Error::Reqwest(error) => connection_failure(error),
                _ => Failure::setup("the provider's answer is no answer of its protocol"),
            }
        }
        genai::Error::WebStream { .. } => Failure::temporary("the connection to the provider failed"),
        _ => Failure::setup("the provider's answer is no answer of its protocol"),
    }
}

fn connection_failure(error: &reqwest::Error) -> Failure {
    Failure::temporary(if error.is_connect() {
        "the provider cannot be connected to"
    } else {
        "the connection to the provider broke off"
    })
}

/// Returns what a provider sent with a status that is no success.
fn body_of(error: &genai::Error) -> &str {
    match error {
        genai::Error::HttpError { body, .. } => body,
        genai::Error::WebModelCall { webc_error, .. } | genai::Error::WebAdapterCall { webc_error, .. } => {
            match webc_error {
                genai::webc::Error::ResponseFailedStatus { body, .. } => body,
                _ => "",
            }
        }
        _ => "",
    }
}

/// Returns for how long the headers of an answer ask to leave a provider alone: in milliseconds, in seconds, or until a
/// time. That is measured by the provider's own clock, which is the one that it goes by.
fn retry_after_ms(headers: &HeaderMap) -> Option<u64> {
    let header = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(text) = header("retry-after-ms") {
        return text.parse().ok();
    }
    let asked = header("retry-after")?;
    milliseconds(asked).or_else(|| {
        let until = httpdate::parse_http_date(asked).ok()?;
        let now = httpdate::parse_http_date(header("date")?).ok()?;
        let pause = until.duration_since(now).unwrap_or_default();
        Some(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX))
    })
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn a_pause_is_a_number_or_a_time_by_the_providers_clock() {
        let now = "Fri, 27 Nov 2026 08:00:00 GMT";
        for (headers, pause) in [
            (vec![("retry-after", "2")], Some(2000)),
            (vec![("retry-after", "0")], Some(0)),
            (vec![("retry-after", "2"), ("retry-after-ms", "1500")], Some(1500)),
            (
                vec![("date", now), ("retry-after", "Fri, 27 Nov 2026 08:00:07 GMT")],
                Some(7000),
            ),
            (
                vec![("date", now), ("retry-after", "Fri, 27 Nov 2026 07:00:00 GMT")],
                Some(0),
            ),
            (vec![("retry-after", "Fri, 27 Nov 2026 08:00:07 GMT")], None),
            (vec![("date", now), ("retry-after", "soon")], None),
            (vec![("retry-after", "-1")], None),
            (vec![], None),
        ] {
            let all: HeaderMap = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            assert_eq!(retry_after_ms(&all), pause, "{headers:?}");
        }
    }
}
