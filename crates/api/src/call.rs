//! A request that has been read: who calls, what, and with which values.
//!
//! The order of failures is the same for every endpoint: 404 for the organization, 401, (429,) 422, 413; then the use
//! case says 403 and what comes after it. Only whoever may not call an operation with a body on anything at all is told
//! so before anything of the request is read.

use std::collections::BTreeSet;
use std::net::IpAddr;

use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use forge_app::access::sign_in;
use forge_app::{AppError, Caller, IdempotencyKey, aside};
use forge_contract::{Location, Operation, Query};
use forge_domain::OrganizationId;
use forge_domain::fault::{Fault, Faults};
use forge_domain::numeral::integer;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::Limits;
use crate::bodies::{Growing, Holders, holders};
use crate::caller::{CallerKind, Identification, UNKNOWN_CALLER, identity, issuer};
use crate::error::ApiError;
use crate::headers::{self, FORGE_MIN_SEQUENCE};
use crate::idempotency_key;
use crate::rate_limit::Verdict;
use crate::request_body::{Content, json_of, most_bytes, read_content};
use crate::serve::Peer;
use crate::server::Server;

/// How often a minute a caller may wait for changes in operations that have no limit themselves.
const WAITS_PER_MINUTE: u32 = 600;

/// Parameters or a body that the endpoint does not look at.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) struct Nothing {}

/// A request that the contract admits, from somebody who may call its operation.
pub(crate) struct ValidRequest {
    pub(crate) server: Server,
    pub(crate) organization: OrganizationId,
    /// Whoever the credentials prove.
    pub(crate) caller: Option<Caller>,
    /// Names the call, so that repeating it does nothing more.
    pub(crate) idempotency_key: Option<IdempotencyKey>,
    values: Parameters,
    body: Value,
    /// How many bytes the body has.
    size: usize,
    peer: Option<IpAddr>,
    origin: String,
    place: Growing,
}

impl ValidRequest {
    /// Reads a request.
    ///
    /// What its rate limit says is told in `verdict`, also when the request is refused.
    pub(crate) async fn read(
        server: Server,
        operation: &'static Operation,
        identification: Identification,
        request: Request,
        verdict: &mut Option<Verdict>,
    ) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        refuse_large_headers(&parts.headers, &server.limits)?;
        let path = path_texts(operation, parts.uri.path())?;
        let organization = organization(&server, operation, identification, &path, &parts.headers).await?;
        let authenticate = async || {
            identification
                .authenticate(&server.app, &organization, &parts.headers)
                .await
        };
        let mut caller = authenticate().await?;
        let limit = operation.requests_per_minute;
        if server.limiter.limit(&operation.id, limit).is_some()
            && let Some(caller) = &caller
        {
            let now = server.app.clock.now();
            *verdict = server.limiter.count(&operation.id, limit, &identity(caller), now);
            if verdict.is_some_and(|verdict| !verdict.decision.is_allowed) {
                return Err(ApiError::TooManyRequests);
            }
        }
        // Others are told nothing of how far the organization has come, and wait for nothing.
        if let Some(waiting) = caller.as_ref().filter(|caller| caller.has_rights())
            && let Some(change_number) = min_sequence(&parts.headers)?
            && !sign_in::sees(&server.app, &organization, change_number).await?
        {
            if verdict.is_none() {
                *verdict = count_waiting(&server, waiting);
                if verdict.is_some_and(|verdict| !verdict.decision.is_allowed) {
                    return Err(ApiError::TooManyRequests);
                }
            }
            sign_in::wait_for(&server.app, &organization, change_number).await?;
            // The change may have been about the caller.
            caller = authenticate().await?;
        }
        if let Some(caller) = caller.as_ref().filter(|_| operation.looks_at_body()) {
            caller.authorize_any(&operation.permissions)?;
        }
        let values = read_parameters(operation, &path, &parts)?;
        let most = most_bytes(operation, &server.limits);
        let mut place = server.bodies.growing(holders(caller.as_ref()), most);
        let content = read_content(operation, &server.limits, &parts.headers, body, &mut place).await?;
        let size = content.size();
        // The place goes with the body, also where nobody waits for it any more.
        let work = move || (understand(operation, values, content), place);
        let (read, place) = aside::run(size, work).await;
        let Understood {
            values,
            idempotency_key,
            body,
        } = read?;
        if operation.looks_at_body() {
            // A body may take its time; what counts is what the caller may do when it is there.
            caller = authenticate().await?;
        }
        Ok(Self {
            organization,
            caller,
            idempotency_key,
            values,
            body,
            size,
            peer: parts.extensions.get::<Peer>().map(|peer| peer.0.ip()),
            origin: origin(&parts),
            place,
            server,
        })
    }

    /// Returns the names under which is counted what the caller holds.
    pub(crate) fn holders(&self) -> &Holders {
        self.place.holders()
    }
}

/// A request to an operation that belongs to an organization, as its endpoint reads it.
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
    /// The place of the body in memory, until the call is answered.
    pub(crate) place: Growing,
    /// What the query names, known or not.
    query_names: BTreeSet<String>,
}

impl<P, Q, B, C> Call<P, Q, B, C>
where
    P: DeserializeOwned,
    Q: DeserializeOwned,
    B: DeserializeOwned + Send + 'static,
    C: CallerKind,
{
    /// Reads what is valid as the types that an endpoint expects.
    pub(crate) async fn of(request: ValidRequest) -> Result<Self, ApiError> {
        let ValidRequest {
            values, body, place, ..
        } = request;
        let caller = C::of(request.caller).ok_or(UNKNOWN_CALLER)?;
        let work = move || (typed("body", body), place);
        let (body, place) = aside::run(request.size, work).await;
        let Query {
            values: query, names, ..
        } = values.query;
        Ok(Self {
            server: request.server,
            organization: request.organization,
            caller,
            path: typed("path", values.path)?,
            query: typed("query", query)?,
            body: body?,
            headers: values.header,
            peer: request.peer,
            origin: request.origin,
            place,
            query_names: names,
        })
    }
}

impl<P, Q, B, C> Call<P, Q, B, C> {
    /// Returns `true` if the query names a parameter; else its value is the contract's default.
    pub(crate) fn names(&self, parameter: &str) -> bool {
        self.query_names.contains(parameter)
    }
}

/// Returns the organization that the caller acts in.
async fn organization(
    server: &Server,
    operation: &Operation,
    identification: Identification,
    path: &[(String, String)],
    headers: &HeaderMap,
) -> Result<OrganizationId, ApiError> {
    let in_path = path
        .iter()
        .find(|(name, _)| name == "organization")
        .map_or("", |(_, id)| id);
    let id = match identification {
        Identification::Founder => issuer(headers).unwrap_or(in_path),
        _ => in_path,
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
    if headers::fit(headers, limits) {
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
fn path_texts(operation: &Operation, path: &str) -> Result<Vec<(String, String)>, ApiError> {
    let mut texts = Vec::new();
    for (part, segment) in operation.path.split('/').zip(path.split('/')) {
        let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        if let Some(name) = name {
            let text = percent_decode_str(segment).decode_utf8();
            let text =
                text.map_err(|_| ApiError::invalid("path", "string_unicode", "the path is not valid UTF-8"))?;
            texts.push((name.to_owned(), text.into_owned()));
        }
    }
    Ok(texts)
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
fn count_waiting(server: &Server, caller: &Caller) -> Option<Verdict> {
    let (identity, now) = (identity(caller), server.app.clock.now());
    server
        .limiter
        .count(FORGE_MIN_SEQUENCE, Some(WAITS_PER_MINUTE), &identity, now)
}

/// A request whose parts are values.
struct Understood {
    values: Parameters,
    idempotency_key: Option<IdempotencyKey>,
    body: Value,
}

/// Holds the body against the contract.
///
/// The options of a change find their way between it and the query.
fn understand(
    operation: &Operation,
    mut values: Parameters,
    content: Content,
) -> Result<Understood, ApiError> {
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
        values,
        idempotency_key,
        body,
    })
}

/// Reads validated values into a type.
///
/// What the type refuses beyond the contract is the request's fault too.
fn typed<T: DeserializeOwned>(place: &str, value: impl Into<Value>) -> Result<T, ApiError> {
    serde_json::from_value(value.into())
        .map_err(|error| ApiError::invalid(place, "invalid", &error.to_string()))
}

/// Builds the error for a query parameter whose text is of the right type but means nothing.
pub(crate) fn invalid_query(name: &str, msg: &str) -> ApiError {
    ApiError::Invalid(vec![Fault::new(
        vec!["query".into(), name.into()],
        "invalid",
        msg,
    )])
}
