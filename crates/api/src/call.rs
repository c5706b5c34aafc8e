//! A request that has been read: who calls, what, and with which values.
//!
//! The order of failures is the same for every endpoint: 404 for the organization, 401, (429,) 422, 413; then the use
//! case says 403 and what comes after it. Only whoever may not call an operation with a body on anything at all is told
//! so before anything of the request is read.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRequestParts as _, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use forge_app::access::sign_in;
use forge_app::{App, AppError, Caller, Ctx, IdempotencyKey, aside};
use forge_contract::{Location, Operation, Query, mentions_terms};
use forge_domain::OrganizationId;
use forge_domain::fault::{Fault, Faults};
use forge_domain::numeral::integer;
use forge_wire::json;
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::sync::watch;

use crate::Limits;
use crate::bodies::{Bodies, Growing, holders};
use crate::caller::{Authenticate, issuer};
use crate::error::ApiError;
use crate::following::Followers;
use crate::form;
use crate::headers::{self, FORGE_MIN_SEQUENCE, is_json};
use crate::idempotency_key;
use crate::kept_answers::KeptAnswers;
use crate::rate_limit::{RateLimiter, Verdict};
use crate::reading::Places;
use crate::serve::Peer;

/// How large a body may be where none is documented, in bytes.
const MOST_TERM_BYTES: usize = 16 * 1024;

/// How often a minute a caller may wait for changes in operations that have no limit themselves.
const WAITS_PER_MINUTE: u32 = 600;

/// Parameters or a body that the endpoint does not look at.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) struct Nothing {}

/// A request to an operation that belongs to an organization.
pub(crate) struct Call<P, Q, B, C> {
    pub(crate) server: Server,
    pub(crate) organization: OrganizationId,
    pub(crate) caller: C,
    pub(crate) path: P,
    pub(crate) query: Q,
    pub(crate) body: B,
    pub(crate) headers: Map<String, Value>,
    /// Where the request comes from, if it came through a socket.
    pub(crate) peer: Option<IpAddr>,
    /// Scheme and host by which the client reached this server, such as `https://forge.example.com`.
    pub(crate) origin: String,
    /// Names the call, so that repeating it does nothing more.
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    /// The place of the body in memory, until the call is answered.
    pub(crate) place: Growing,
    /// What the query names, known or not.
    query_names: BTreeSet<String>,
}

/// What every call needs of the server.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) limits: Arc<Limits>,
    pub(crate) limiter: Arc<RateLimiter>,
    pub(crate) bodies: Bodies,
    /// What is sent, apart from what comes: whoever sends much keeps nobody from being answered.
    pub(crate) large_answers: Bodies,
    /// How many read at once.
    pub(crate) reading: Places,
    /// How many follow changes.
    pub(crate) followers: Followers,
    pub(crate) answers: KeptAnswers,
    /// Becomes true when the server stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl Server {
    /// Creates a server; `stopping` becomes true when it stops.
    pub(crate) fn new(app: App, limits: Limits, stopping: watch::Receiver<bool>) -> Self {
        Self {
            reading: Places::new(app.store.readers()),
            followers: Followers::default(),
            app,
            limiter: Arc::new(RateLimiter::new(limits.rates.clone())),
            bodies: Bodies::new(limits.bodies_bytes),
            large_answers: Bodies::new(limits.bodies_bytes),
            answers: KeptAnswers::new(limits.answers_bytes),
            limits: Arc::new(limits),
            stopping,
        }
    }

    /// Returns the context of what a caller asks of this server.
    pub(crate) fn ctx<'a>(&'a self, caller: &'a Caller) -> Ctx<'a> {
        Ctx::new(&self.app, caller)
    }

    /// Returns the server as one call uses it.
    pub(crate) fn begin_request(&self) -> Self {
        Self {
            app: self.app.begin_request(),
            limits: Arc::clone(&self.limits),
            limiter: Arc::clone(&self.limiter),
            bodies: self.bodies.clone(),
            large_answers: self.large_answers.clone(),
            reading: self.reading.clone(),
            followers: self.followers.clone(),
            answers: self.answers.clone(),
            stopping: self.stopping.clone(),
        }
    }
}

impl<P, Q, B, C> Call<P, Q, B, C>
where
    P: DeserializeOwned,
    Q: DeserializeOwned,
    B: DeserializeOwned + Send + 'static,
    C: Authenticate,
{
    /// Reads a request.
    ///
    /// What its rate limit says is told in `verdict`, also when the request is refused.
    pub(crate) async fn read(
        server: &Server,
        operation: &'static Operation,
        request: Request,
        verdict: &mut Option<Verdict>,
    ) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        refuse_large_headers(&parts.headers, &server.limits)?;
        let path = path_texts(operation, &mut parts).await?;
        let organization = organization::<C>(server, operation, &path, &parts.headers).await?;
        let mut caller = C::authenticate(&server.app, &organization, &parts.headers).await?;
        let limit = operation.requests_per_minute;
        if server.limiter.limit(&operation.id, limit).is_some()
            && let Some(identity) = caller.identity()
        {
            let now = server.app.clock.now();
            *verdict = server.limiter.count(&operation.id, limit, &identity, now);
            if verdict.is_some_and(|verdict| !verdict.decision.is_allowed) {
                return Err(ApiError::TooManyRequests);
            }
        }
        // Others are told nothing of how far the organization has come, and wait for nothing.
        if caller.known().is_some_and(Caller::has_rights)
            && let Some(change_number) = min_sequence(&parts.headers)?
            && !sign_in::sees(&server.app, &organization, change_number).await?
        {
            if verdict.is_none() {
                *verdict = count_waiting(server, &caller);
                if verdict.is_some_and(|verdict| !verdict.decision.is_allowed) {
                    return Err(ApiError::TooManyRequests);
                }
            }
            sign_in::wait_for(&server.app, &organization, change_number).await?;
            // The change may have been about the caller.
            caller = C::authenticate(&server.app, &organization, &parts.headers).await?;
        }
        if let Some(caller) = caller.known().filter(|_| operation.looks_at_body()) {
            caller.authorize_any(&operation.permissions)?;
        }
        let values = read_parameters(operation, &path, &parts)?;
        let most = most_bytes(operation, &server.limits);
        let mut place = server.bodies.growing(holders(caller.known()), most);
        let content = read_content(operation, &server.limits, &parts.headers, body, &mut place).await?;
        let size = content.size();
        // The place goes with the body, also where nobody waits for it any more.
        let work = move || (understand(operation, values, content), place);
        let (read, place) = aside::run(size, work).await;
        let read = read?;
        if operation.looks_at_body() {
            // A body may take its time; what counts is what the caller may do when it is there.
            caller = C::authenticate(&server.app, &organization, &parts.headers).await?;
        }
        let Understood {
            values,
            idempotency_key,
            body,
        } = read;
        let Query {
            values: query, names, ..
        } = values.query;
        Ok(Self {
            server: server.clone(),
            organization,
            caller,
            path: typed("path", values.path)?,
            query: typed("query", query)?,
            body,
            headers: values.header,
            peer: parts.extensions.get::<Peer>().map(|peer| peer.0.ip()),
            origin: origin(&parts),
            idempotency_key,
            place,
            query_names: names,
        })
    }

    /// Returns `true` if the query names a parameter; else its value is the contract's default.
    pub(crate) fn names(&self, parameter: &str) -> bool {
        self.query_names.contains(parameter)
    }
}

/// Returns the organization that the caller acts in.
async fn organization<C: Authenticate>(
    server: &Server,
    operation: &Operation,
    path: &[(String, String)],
    headers: &HeaderMap,
) -> Result<OrganizationId, ApiError> {
    let in_path = path
        .iter()
        .find(|(name, _)| name == "organization")
        .map_or("", |(_, id)| id);
    let id = if C::PATH_NAMES_ORGANIZATION {
        in_path
    } else {
        issuer(headers).unwrap_or(in_path)
    };
    let is_resolve = operation.id == "resolve-version-set";
    let in_maintenance_too = is_resolve && server.limits.resolve_in_maintenance;
    match sign_in::require_organization(&server.app, id, in_maintenance_too).await {
        // Some operations know no 404; to them, credentials for an organization that is not there prove nothing.
        Err(AppError::NotFound(_)) if !operation.statuses.contains(&404) => Err(AppError::Unauthenticated(
            "there is no such organization; X-ORG-ID names the one that issued your token, if the path does not",
        )
        .into()),
        found => Ok(found?),
    }
}

/// Returns the number of the change that the caller wants to be visible to the request.
fn min_sequence(headers: &HeaderMap) -> Result<Option<i64>, ApiError> {
    let mut values = headers.get_all(FORGE_MIN_SEQUENCE).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        // It is told with the faults of the other headers.
        return Ok(None);
    }
    let number = value.to_str().ok().and_then(integer);
    let number = number.filter(|number| *number >= 0);
    number.map(Some).ok_or_else(|| {
        let msg = "expected the change number of a write, as its answer says in Forge-Sequence";
        ApiError::Invalid(vec![headers::fault(FORGE_MIN_SEQUENCE, "invalid", msg)])
    })
}

fn refuse_large_headers(headers: &HeaderMap, limits: &Limits) -> Result<(), ApiError> {
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if headers.len() <= limits.max_headers && bytes <= limits.max_header_bytes {
        return Ok(());
    }
    let admitted = format!(
        "{} headers of {} bytes together",
        limits.max_headers, limits.max_header_bytes
    );
    Err(ApiError::HeadersTooLarge { admitted })
}

/// Returns how the client reached this server.
///
/// A proxy that ends TLS says so; what is made of it is only ever told to the client itself.
fn origin(parts: &Parts) -> String {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let scheme = match header("x-forwarded-proto") {
        Some("https") => "https",
        _ => parts.uri.scheme_str().unwrap_or("http"),
    };
    let host =
        header(header::HOST.as_str()).or(parts.uri.authority().map(axum::http::uri::Authority::as_str));
    format!("{scheme}://{}", host.unwrap_or("localhost"))
}

/// Returns the path's parameters under the names that the operation gives them.
///
/// The router calls them by their place; a segment that it knows by its text is the same in the request.
async fn path_texts(operation: &Operation, parts: &mut Parts) -> Result<Vec<(String, String)>, ApiError> {
    let params = RawPathParams::from_request_parts(parts, &()).await;
    let params = params.map_err(|_| invalid("path", "string_unicode", "the path is not valid UTF-8"))?;
    let mut texts = Vec::new();
    let segments = parts.uri.path().split('/');
    for (position, (part, segment)) in operation.path.split('/').zip(segments).enumerate() {
        let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        if let Some(name) = name {
            let place = place(position);
            let read = params.iter().find(|(key, _)| *key == place);
            let text = read.map_or(segment, |(_, text)| text);
            texts.push((name.to_owned(), text.to_owned()));
        }
    }
    Ok(texts)
}

/// Returns what the router calls the parameter at that place of a path.
pub(crate) fn place(position: usize) -> String {
    format!("p{position}")
}

struct Parameters {
    path: Map<String, Value>,
    query: Query,
    header: Map<String, Value>,
}

fn read_parameters(
    operation: &Operation,
    path: &[(String, String)],
    parts: &Parts,
) -> Result<Parameters, ApiError> {
    let sent = parts.uri.query().unwrap_or_default();
    let query: Vec<(String, String)> = form_urlencoded::parse(sent.as_bytes()).into_owned().collect();
    let headers = headers::texts(operation, &parts.headers);
    let mut faults = Faults::default();
    faults.extend(headers::faults(operation, &parts.headers));
    let query = operation.read_query(&query).unwrap_or_else(|found| {
        faults.extend(found);
        Query::default()
    });
    if faults.is_empty() {
        faults.extend(operation.misjoined(sent));
    }
    let mut read = |location, texts: &[(String, String)]| {
        operation
            .read_parameters(location, texts)
            .unwrap_or_else(|found| {
                faults.extend(found);
                Map::new()
            })
    };
    let parameters = Parameters {
        path: read(Location::Path, path),
        query,
        header: read(Location::Header, &headers),
    };
    faults.unless_empty().map_err(ApiError::Invalid)?;
    Ok(parameters)
}

/// Counts that a caller waits for a change in an operation that has no limit of its own.
fn count_waiting(server: &Server, caller: &impl Authenticate) -> Option<Verdict> {
    let (identity, now) = (caller.identity()?, server.app.clock.now());
    server
        .limiter
        .count(FORGE_MIN_SEQUENCE, Some(WAITS_PER_MINUTE), &identity, now)
}

/// The body of a request as it came.
enum Content {
    /// The fields of a form.
    Form(Value),
    /// Bytes, and whether the headers declare them as JSON.
    Bytes(Bytes, bool),
}

impl Content {
    /// Returns how many bytes are still to be understood.
    fn size(&self) -> usize {
        match self {
            Self::Form(_) => 0,
            Self::Bytes(bytes, _) => bytes.len(),
        }
    }
}

/// A request whose parts are values.
struct Understood<B> {
    values: Parameters,
    idempotency_key: Option<IdempotencyKey>,
    body: B,
}

/// Returns how large the body of a request may be; 0 if it is not read.
fn most_bytes(operation: &Operation, limits: &Limits) -> usize {
    if operation.is_form {
        limits.max_body_bytes
    } else if !operation.looks_at_body() || !operation.needs_user && operation.body.is_none() {
        // Nobody in particular sends what nobody reads.
        0
    } else if operation.body.is_some() {
        limits.max_body_bytes
    } else {
        // It may have options of ours, and nothing else.
        limits.max_body_bytes.min(MOST_TERM_BYTES)
    }
}

async fn read_content(
    operation: &Operation,
    limits: &Limits,
    headers: &HeaderMap,
    body: Body,
    place: &mut Growing,
) -> Result<Content, ApiError> {
    let most = place.largest();
    if operation.is_form {
        let bytes = read_bytes(limits, most, headers, body, place).await?;
        return Ok(Content::Form(form::read(headers, bytes).await?));
    }
    let bytes = if most == 0 {
        Bytes::new()
    } else {
        read_bytes(limits, most, headers, body, place).await?
    };
    Ok(Content::Bytes(bytes, is_json(headers)))
}

/// Reads the body as what its endpoint expects.
///
/// The options of a change find their way between it and the query.
fn understand<B: DeserializeOwned>(
    operation: &Operation,
    mut values: Parameters,
    content: Content,
) -> Result<Understood<B>, ApiError> {
    let body = match content {
        Content::Form(form) => {
            operation.check_form(&form).map_err(ApiError::Invalid)?;
            form
        }
        Content::Bytes(bytes, is_json) => {
            let body = json_of(operation, &bytes, is_json)?;
            let read = operation.read_body_with(body, &mut values.query);
            read.map_err(ApiError::Invalid)?
        }
    };
    let idempotency_key = idempotency_key::of_request(
        operation,
        &values.path,
        &values.query.values,
        &values.header,
        &body,
    );
    Ok(Understood {
        idempotency_key,
        body: typed("body", body)?,
        values,
    })
}

/// Returns the JSON of a body, or `None` if there is no body, or one that may be ignored.
fn json_of(operation: &Operation, bytes: &[u8], is_json: bool) -> Result<Option<Value>, ApiError> {
    if bytes.is_empty() {
        let is_required = |expected: &forge_contract::Body| expected.is_required;
        if operation.body.as_ref().is_some_and(is_required) {
            return Err(invalid("body", "missing", "a JSON body is required"));
        }
        return Ok(None);
    }
    match parse(bytes, is_json) {
        Ok(value) => Ok(Some(value)),
        Err(_) if operation.ignores_other_bodies() && !mentions_terms(&String::from_utf8_lossy(bytes)) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn parse(bytes: &[u8], is_json: bool) -> Result<Value, ApiError> {
    if !is_json {
        let msg = "the body must be JSON, with the header `Content-Type: application/json`";
        return Err(invalid("body", "content_type", msg));
    }
    json::parse(bytes).map_err(|fault| ApiError::Invalid(vec![fault]))
}

/// Reads a body of at most so many bytes.
async fn read_bytes(
    limits: &Limits,
    most: usize,
    headers: &HeaderMap,
    mut body: Body,
    place: &mut Growing,
) -> Result<Bytes, ApiError> {
    let is_packed = |coding: &HeaderValue| !coding.as_bytes().eq_ignore_ascii_case(b"identity");
    if headers.get_all(header::CONTENT_ENCODING).iter().any(is_packed) {
        return Err(ApiError::PackedBody);
    }
    // Known before anything of it has come: whoever asks whether to go on is told not to.
    if body.size_hint().lower() > most as u64 {
        return Err(ApiError::BodyTooLarge { limit: most });
    }
    let reading = async {
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let early = "the body ended too early; send it again";
            let frame = frame.map_err(|_| invalid("body", "body_incomplete", early))?;
            let Some(data) = frame.data_ref() else { continue };
            let size = bytes.len() + data.len();
            if size > most {
                return Err(ApiError::BodyTooLarge { limit: most });
            }
            place.grow_to(size)?;
            bytes.extend_from_slice(data);
        }
        Ok(bytes.into())
    };
    let slow = |_| ApiError::BodyTooSlow {
        limit: limits.body_timeout.as_secs(),
    };
    tokio::time::timeout(limits.body_timeout, reading)
        .await
        .map_err(slow)?
}

/// Reads validated values into a type.
///
/// What the type refuses beyond the contract is the request's fault too.
fn typed<T: DeserializeOwned>(place: &str, value: impl Into<Value>) -> Result<T, ApiError> {
    serde_json::from_value(value.into()).map_err(|error| invalid(place, "invalid", &error.to_string()))
}

fn invalid(place: &str, kind: &'static str, msg: &str) -> ApiError {
    ApiError::Invalid(vec![Fault::new(vec![place.into()], kind, msg)])
}

/// Builds the error for a query parameter whose text is of the right type but means nothing.
pub(crate) fn invalid_query(name: &str, msg: &str) -> ApiError {
    ApiError::Invalid(vec![Fault::new(
        vec!["query".into(), name.into()],
        "invalid",
        msg,
    )])
}
