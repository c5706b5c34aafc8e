//! A client that speaks to the router directly.

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use forge_api::Router;
use forge_contract::{Operation, contract};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::record;

/// A client of one organization, with or without credentials.
#[derive(Clone)]
pub struct TestClient {
    /// The API it speaks to.
    pub router: Router,
    /// The organization in the path of every request.
    pub organization: String,
    /// The user who is signed in.
    pub user_id: String,
    /// The token, if there is one.
    pub token: Option<String>,
}

/// An answer; it has been held against the contract already.
#[derive(Debug)]
pub struct TestResponse {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; null if it has none, and a list of what its lines hold if those are JSON each.
    pub body: Value,
}

impl TestResponse {
    /// Returns the text of an error.
    ///
    /// # Panics
    /// If the answer is none.
    #[track_caller]
    pub fn detail(&self) -> &str {
        self.body["detail"]
            .as_str()
            .unwrap_or_else(|| panic!("no error text in {} {}", self.status, self.body))
    }

    /// Returns the faults of a 422, each as `place: type`.
    pub fn faults(&self) -> Vec<String> {
        let fault = |fault: &Value| {
            let steps = fault["loc"].as_array().into_iter().flatten();
            let place: Vec<String> = steps
                .map(|step| step.as_str().map_or_else(|| step.to_string(), str::to_owned))
                .collect();
            format!(
                "{}: {}",
                place.join("."),
                fault["type"].as_str().unwrap_or_default()
            )
        };
        self.body["detail"]
            .as_array()
            .into_iter()
            .flatten()
            .map(fault)
            .collect()
    }

    /// Returns the id of what was created.
    ///
    /// # Panics
    /// If nothing was.
    #[track_caller]
    pub fn id(&self) -> String {
        assert_eq!(self.status, StatusCode::CREATED, "{}", self.body);
        self.body["id"].as_str().unwrap().to_owned()
    }

    /// Returns `true` if this is an empty list, without filter values and without a page after it: what somebody is
    /// shown who may see nothing of it.
    pub fn shows_nothing(&self) -> bool {
        fn is_nothing(value: &Value) -> bool {
            match value {
                Value::Array(items) => items.is_empty(),
                Value::Object(fields) => fields.values().all(is_nothing),
                other => other.is_null() || *other == Value::Bool(false),
            }
        }
        self.status == 200 && self.body.is_object() && is_nothing(&self.body)
    }

    /// Returns the change number of the write.
    pub fn sequence(&self) -> Option<i64> {
        self.headers.get("forge-sequence")?.to_str().ok()?.parse().ok()
    }
}

impl TestClient {
    /// Returns the same client without credentials.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self {
            token: None,
            ..self.clone()
        }
    }

    /// Returns the same client with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// Returns the same credentials, used on another organization's paths.
    #[must_use]
    pub fn in_organization(&self, organization: &str) -> Self {
        Self {
            organization: organization.to_owned(),
            ..self.clone()
        }
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> TestResponse {
        self.send(Method::GET, path, None).await
    }

    /// Creates or updates.
    pub async fn post(&self, path: &str, body: Value) -> TestResponse {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Replaces.
    pub async fn put(&self, path: &str, body: Value) -> TestResponse {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// Deletes.
    pub async fn delete(&self, path: &str) -> TestResponse {
        self.send(Method::DELETE, path, None).await
    }

    /// Sends a form.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> TestResponse {
        let (content_type, body) = form(fields);
        self.send_raw(Method::POST, path, &[], Some(&content_type), body)
            .await
    }

    /// Sends JSON, or no body, to a path within the organization.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> TestResponse {
        let body = body.map(|body| body.to_string().into_bytes());
        let content_type = body.is_some().then_some("application/json");
        self.send_raw(method, path, &[], content_type, body.unwrap_or_default())
            .await
    }

    /// Sends any bytes with any headers.
    ///
    /// # Panics
    /// If the answer is not one that the contract documents for the operation.
    pub async fn send_raw(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        content_type: Option<&str>,
        body: Vec<u8>,
    ) -> TestResponse {
        let uri = match path.strip_prefix("//") {
            // A path of the server, not of the organization.
            Some(path) => format!("/{path}"),
            None => format!("/v1/{}/{path}", self.organization),
        };
        let mut request = Request::builder().method(method.clone()).uri(&uri);
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = body.clone();
        let request = request.body(Body::from(body)).unwrap();
        let sent_headers = request.headers().clone();
        let (parts, body) = request.into_parts();
        let twin = is_resolve(&parts).then(|| parts.clone());
        let request = Request::from_parts(parts, body);
        let before = at_once(&self.router, twin.clone()).await;
        let response = self.router.clone().oneshot(request).await.unwrap();
        let after = at_once(&self.router, twin).await;
        let (parts, body) = response.into_parts();
        let has_type = |wanted: &str| {
            let kind = parts.headers.get(header::CONTENT_TYPE);
            kind.is_some_and(|kind| kind == wanted)
        };
        let bytes = if has_type("text/event-stream") {
            // A stream has no end to wait for.
            Bytes::new()
        } else {
            body.collect().await.unwrap().to_bytes()
        };
        // What changes meanwhile may make them differ; then the two at once differ, too.
        if before.is_some() && before == after {
            let answered = (parts.status, without_id(&parts.headers), bytes.clone());
            assert_eq!(before, Some(answered), "{method} {uri}, at once and else");
        }
        let json = |text: &[u8]| -> Value {
            serde_json::from_slice(text)
                .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(text)))
        };
        let body: Option<Value> = if has_type("application/x-ndjson") {
            Some(bytes.split_inclusive(|byte| *byte == b'\n').map(json).collect())
        } else {
            (!bytes.is_empty()).then(|| json(&bytes))
        };
        let texts = sent_headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()));
        record::credentials(texts, &sent, body.as_ref().unwrap_or(&Value::Null));
        if !parts.status.is_success() {
            record::written("error bodies", &bytes);
        }
        let path = uri.split('?').next().unwrap_or_default();
        if let Some(operation) = find_operation(&method, path) {
            let status = parts.status.as_u16();
            let faults = contract().check_answer(&operation.id, status, body.as_ref());
            assert!(
                faults.is_empty(),
                "{method} {uri} answered {status} {body:?}: {faults:?}"
            );
        }
        TestResponse {
            status: parts.status,
            headers: parts.headers,
            body: body.unwrap_or_default(),
        }
    }
}

/// Returns a form as it is sent: its content type and its body.
pub fn form(fields: &[(&str, &str)]) -> (String, Vec<u8>) {
    let mut body = String::new();
    for (name, value) in fields {
        body.push_str("--parts\r\nContent-Disposition: form-data; name=\"");
        body.push_str(&format!("{name}\"\r\n\r\n{value}\r\n"));
    }
    body.push_str("--parts--\r\n");
    (
        "multipart/form-data; boundary=parts".to_owned(),
        body.into_bytes(),
    )
}

/// Returns the operation of a path; with or without its trailing slash.
fn find_operation(method: &Method, path: &str) -> Option<&'static Operation> {
    let segments = |path: &'static str| path.trim_end_matches('/').split('/');
    let given: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let fits = |operation: &&Operation| {
        let operation: &'static Operation = contract().operation(&operation.id).unwrap();
        let wanted: Vec<&str> = segments(&operation.path).collect();
        wanted.len() == given.len()
            && wanted
                .iter()
                .zip(&given)
                .all(|(wanted, given)| wanted.starts_with('{') || wanted == given)
    };
    let candidates = contract()
        .operations()
        .filter(|operation| operation.method == method.as_str());
    // Of several, the one with the most literal segments is meant; but a slash at the end is only there on purpose.
    candidates.filter(fits).min_by_key(|operation| {
        let adds_slash = path.ends_with('/') && !operation.path.ends_with('/');
        (adds_slash, operation.path.matches('{').count())
    })
}

/// An answer, but for the id of its request.
type Told = (StatusCode, HeaderMap, Bytes);

/// Returns `true` if a request may be answered at once on a connection.
fn is_resolve(request: &Parts) -> bool {
    request.method == Method::GET && request.uri.path().ends_with("/resolve")
}

/// Returns what the request is answered at once, or `None` if it is not.
async fn at_once(router: &Router, request: Option<Parts>) -> Option<Told> {
    let mut request = Request::from_parts(request?, Body::empty());
    // What comes through a connection names one.
    let host = request.headers_mut().entry(header::HOST);
    host.or_insert(HeaderValue::from_static("test"));
    let answer = router.at_once(&request);
    drop(request);
    let (parts, body) = answer?.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Some((parts.status, without_id(&parts.headers), bytes))
}

fn without_id(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    headers.remove("x-request-id");
    headers
}
