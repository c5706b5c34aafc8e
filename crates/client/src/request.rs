//! One request, and what its answer means.

use std::time::Duration;

use http::header::HeaderMap;
use http::{Method, StatusCode};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::body::Body;
use crate::document::plans;
use crate::error::{Call, ClientError, Effect, Fault};
use crate::secrets::Secrets;

/// Whether a request may be sent again without knowing what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It changes nothing.
    Read,
    /// It changes something, but the server recognises it the second time.
    Recognised,
    /// Doing it twice is another thing than doing it once, or is answered as if somebody else had done it.
    Never,
}

/// A path within the organization.
#[derive(Debug, Clone)]
pub(crate) struct Path(Vec<String>);

impl Path {
    /// Adds a segment, whatever is in it.
    pub(crate) fn join(mut self, segment: impl ToString) -> Self {
        self.0.push(segment.to_string());
        self
    }

    /// Returns the segments, which are not escaped.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// Takes segments with `/` between them.
impl From<&str> for Path {
    fn from(text: &str) -> Self {
        Self(text.split('/').map(str::to_owned).collect())
    }
}

impl From<String> for Path {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

/// A request to be sent.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: Path,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<Value>,
    pub(crate) repeat: Repeat,
    /// A token that the server has from an earlier request, and that may come back.
    pub(crate) earlier_token: Option<String>,
}

impl Request {
    pub(crate) fn new(method: Method, path: impl Into<Path>, repeat: Repeat) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            repeat,
            earlier_token: None,
        }
    }

    /// A request that only reads.
    pub(crate) fn get(path: impl Into<Path>) -> Self {
        Self::new(Method::GET, path, Repeat::Read)
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    pub(crate) fn query_if(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    pub(crate) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
}

/// A change that the server recognises by its key when it is sent again.
pub(crate) fn keyed_post(path: impl Into<Path>, body: Value) -> Request {
    let mut key = [0; 16];
    // Without random bytes there is no key that nobody else has.
    match getrandom::fill(&mut key) {
        Ok(()) => Request::new(Method::POST, path, Repeat::Recognised)
            .header("Idempotency-Key", forge_types::hex(&key)),
        Err(_) => Request::new(Method::POST, path, Repeat::Never),
    }
    .body(body)
}

/// The answer to a request, whatever it says.
pub(crate) struct Reply {
    pub(crate) call: Call,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// What was sent and may come back.
    pub(crate) secrets: Secrets,
    /// What was changed, as far as that can be told without what the answer says.
    pub(crate) effect: Effect,
}

impl Reply {
    /// How long the server asks to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get("retry-after")?.to_str().ok()?;
        text.trim().parse().ok().map(Duration::from_secs)
    }

    /// Returns the JSON of an answer that grants what was asked, `null` if it has none, and the error of any other one.
    pub(crate) fn into_json(self) -> Result<Box<RawValue>, ClientError> {
        if let Some(longest) = self.body.is_longer_than {
            return Err(ClientError::TooLong {
                call: self.call,
                status: self.status.as_u16(),
                longest,
                effect: self.effect,
            });
        }
        let body: &[u8] = if self.body.bytes.is_empty() {
            b"null"
        } else {
            &self.body.bytes
        };
        let read = serde_json::from_slice::<Box<RawValue>>(body);
        if self.status.is_success() {
            let status = self.status.as_u16();
            return read.map_err(|source| ClientError::Unexpected {
                call: self.call,
                status,
                source,
            });
        }
        match read.and_then(|json| serde_json::from_str::<Value>(json.get())) {
            Ok(body) => {
                let body = self.secrets.without_in(body);
                Err(self.refusal(&body))
            }
            Err(source) => Err(ClientError::Unexpected {
                call: self.call,
                status: self.status.as_u16(),
                source,
            }),
        }
    }

    /// Returns what the server said.
    pub(crate) fn detail(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body.bytes).unwrap_or_default();
        detail(&self.secrets.without_in(body))
    }

    /// Returns what makes an error of why the answer could not be understood.
    pub(crate) fn unexpected(&self) -> impl FnOnce(serde_json::Error) -> ClientError + use<> {
        let (call, status) = (self.call.clone(), self.status.as_u16());
        let secrets = self.secrets.clone();
        move |source| ClientError::Unexpected {
            call,
            status,
            source: secrets.without_error(source),
        }
    }

    fn refusal(self, body: &Value) -> ClientError {
        let detail = detail(body);
        match self.status.as_u16() {
            400 => ClientError::Blocked {
                detail,
                plans: plans(body),
            },
            401 => ClientError::NotSignedIn(detail),
            403 => ClientError::Forbidden(detail),
            404 | 410 => ClientError::NotFound(detail),
            409 => ClientError::Conflict {
                detail,
                plans: plans(body),
            },
            412 if body.get("yanked").is_some() => ClientError::YankMoved {
                detail,
                yanked: serde_json::from_value(body["yanked"].clone()).ok(),
            },
            412 => ClientError::SetMoved {
                detail,
                version_set: serde_json::from_value(body["version_set"].clone()).ok(),
            },
            422 => ClientError::Invalid(faults(body)),
            status => ClientError::Refused {
                status,
                detail,
                request_id: self
                    .headers
                    .get("x-request-id")
                    .and_then(|id| id.to_str().ok())
                    .map(|id| self.secrets.without(id)),
                call: self.call,
            },
        }
    }
}

fn detail(body: &Value) -> String {
    match &body["detail"] {
        Value::String(text) => text.clone(),
        Value::Null => "no reason given".to_owned(),
        other => other.to_string(),
    }
}

fn faults(body: &Value) -> Vec<Fault> {
    let step = |step: &Value| step.as_str().map_or_else(|| step.to_string(), str::to_owned);
    let fault = |fault: &Value| Fault {
        place: fault["loc"]
            .as_array()
            .map(|loc| loc.iter().map(step).collect::<Vec<_>>().join("."))
            .unwrap_or_default(),
        message: fault["msg"].as_str().unwrap_or_default().to_owned(),
    };
    match &body["detail"] {
        Value::Array(all) => all.iter().map(fault).collect(),
        _ => vec![Fault {
            place: "request".to_owned(),
            message: detail(body),
        }],
    }
}
