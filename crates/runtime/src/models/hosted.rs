//! Models that somebody serves over HTTP.

use std::fmt;

use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout_at};

use super::asking::{Asked, Door};
use super::options::Options;
use super::protocol::Protocol;
use super::request::{Answer, Failure, Pieces, too_long};
use super::settings::AnswerFormat;
use super::stream::Stream;
use crate::Limits;
use crate::prompt::{Prompt, Shape};

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
    /// Creates a provider that speaks `protocol` at `base_url`; the error says why that is none.
    pub(super) fn new(
        http: &reqwest::Client,
        protocol: Protocol,
        base_url: &str,
        key: Option<&str>,
        answer_format: AnswerFormat,
    ) -> Result<Self, String> {
        Ok(Self {
            http: http.clone(),
            protocol,
            door: Door::new(protocol, base_url, key)?,
            answer_format,
        })
    }

    /// Calls a model once.
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
                Err(_) if !stream.has_begun() => {
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

/// Returns `true` if a text has more than thoughts.
fn has_answer(text: &str) -> bool {
    crate::answer::text(text).is_ok_and(|answer| !answer.is_empty())
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
