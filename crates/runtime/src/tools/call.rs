//! One call of a tool.

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Map, Value};

use super::Tool;

/// Parameters that a tool's schema admits.
#[derive(Debug, Clone)]
pub(crate) struct Validated(Map<String, Value>);

/// A tool did not do what it was called for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToolFailure {
    /// What happened, for everybody.
    pub(crate) reason: String,
    /// What the tool said, for the model only.
    pub(crate) detail: String,
}

impl Validated {
    pub(crate) fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl ToolFailure {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            detail: String::new(),
        }
    }

    /// Returns what the model is told instead of a result.
    pub(crate) fn as_result(&self) -> String {
        match self.detail.as_str() {
            "" => format!("error: {}", self.reason),
            detail => format!("error: {}: {detail}", self.reason),
        }
    }
}

impl Tool {
    /// Checks parameters; says of others what is wrong with them.
    pub(crate) fn validate(&self, params: Map<String, Value>) -> Result<Validated, String> {
        let params = Value::Object(params);
        let faults: Vec<String> = self
            .validator
            .iter_errors(&params)
            .take(5)
            .map(|error| match error.instance_path().as_str() {
                "" => error.to_string(),
                place => format!("{}: {error}", place.trim_start_matches('/')),
            })
            .collect();
        match params {
            Value::Object(params) if faults.is_empty() => Ok(Validated(params)),
            _ => Err(format!(
                "the parameters of tool `{}` do not fit: {}",
                self.name,
                faults.join("; ")
            )),
        }
    }

    /// Calls the tool and returns what it answered.
    pub(crate) async fn call(&self, params: &Validated, most_bytes: usize) -> Result<String, ToolFailure> {
        let called = self.request(params, most_bytes);
        tokio::time::timeout(self.timeout, called)
            .await
            .unwrap_or_else(|_| {
                let seconds = self.timeout.as_secs_f64();
                Err(ToolFailure::new(format!(
                    "it did not answer within {seconds} seconds"
                )))
            })
    }

    async fn request(&self, params: &Validated, most_bytes: usize) -> Result<String, ToolFailure> {
        let mut headers = self.headers.clone();
        headers
            .entry(CONTENT_TYPE)
            .or_insert(HeaderValue::from_static("application/json"));
        let body = Value::Object(params.0.clone()).to_string();
        let request = self.http.post(self.url.clone()).headers(headers).body(body);
        let mut response = request.send().await.map_err(|error| {
            ToolFailure::new(if error.is_connect() {
                "it cannot be connected to"
            } else {
                "the connection broke off"
            })
        })?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|_| ToolFailure::new("the connection broke off"))?
        {
            if body.len() + chunk.len() > most_bytes {
                return Err(ToolFailure::new(format!(
                    "its answer is longer than {most_bytes} bytes"
                )));
            }
            body.extend_from_slice(&chunk);
        }
        let text = String::from_utf8_lossy(&body);
        let text = crate::text::harmless(&text).into_owned();
        if status.is_success() {
            return Ok(text);
        }
        let reason = if status.is_redirection() {
            format!(
                "it answered with status {}, and redirects are not followed",
                status.as_u16()
            )
        } else {
            format!("it answered with status {}", status.as_u16())
        };
        Err(ToolFailure {
            reason,
            detail: text.chars().take(1000).collect(),
        })
    }
}
