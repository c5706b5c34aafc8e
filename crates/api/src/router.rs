//! From a request to the operation that its method and path name, and around it what happens to every request.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Method, Uri, header};
use axum::response::{IntoResponse as _, Response};
use forge_app::App;
use forge_contract::contract;
use futures_util::FutureExt as _;
use tokio::sync::watch;
use tower::{Layer as _, Service, ServiceExt as _, service_fn};
use tower_http::cors::CorsLayer;
use tracing::Instrument as _;

use crate::at_once::AtOnce;
use crate::cross_origin::cross_origin;
use crate::error::ApiError;
use crate::observed::Observed;
use crate::operations::operations;
use crate::route::{RESOLVE, Route};
use crate::server::Server;
use crate::unread::Unread;
use crate::{Limits, head};

/// The whole API: it answers every request.
#[derive(Clone)]
pub struct Router(Arc<Parts>);

struct Parts {
    server: Server,
    paths: matchit::Router<Methods>,
    cross_origin: Option<CorsLayer>,
    resolves_at_once: bool,
}

impl Router {
    /// Creates the router of the whole API.
    pub fn new(app: App, limits: Limits) -> Self {
        // It never stops.
        Self::until(app, limits, watch::channel(false).1)
    }

    /// Creates the router of a server whose streams end when it stops: `stopping` becomes true then.
    pub(crate) fn until(app: App, limits: Limits, stopping: watch::Receiver<bool>) -> Self {
        let cross_origin = cross_origin(&limits.allowed_origins);
        let server = Server::new(app, limits, stopping);
        let documented = contract()
            .operation(RESOLVE)
            .and_then(|operation| operation.requests_per_minute);
        let counts = server.limiter.limit(RESOLVE, documented).is_some();
        Self(Arc::new(Parts {
            resolves_at_once: cross_origin.is_none() && !counts,
            cross_origin,
            server,
            paths: paths(),
        }))
    }

    /// Returns the server if it may resolve at once: where calls are counted, or pages of other origins are answered, more
    /// has to be done for every one.
    pub(crate) fn resolves_at_once(&self) -> Option<&Server> {
        self.0.resolves_at_once.then_some(&self.0.server)
    }

    /// Returns the answer to a request that needs nothing but a look at memory, as connections get it.
    ///
    /// For tests, which hold it against the router's own.
    #[doc(hidden)]
    pub fn at_once(&self, request: &Request) -> Option<Response> {
        AtOnce::default().answer(self.resolves_at_once()?, request)
    }

    /// Answers a request.
    pub(crate) async fn answer(self, request: Request) -> Response {
        let observed = Observed::new(&request);
        let mut response = match &self.0.cross_origin {
            None => self.answer_any(request, &observed).await,
            Some(layer) => {
                let is_asked_first = request.method() == Method::OPTIONS;
                let answer = async |request| Ok::<_, Infallible>(self.answer_any(request, &observed).await);
                let response = layer.layer(service_fn(answer)).oneshot(request).await;
                let response = response.unwrap_or_else(|never| match never {}).map(Body::new);
                // What browsers ask first comes no further than to here.
                let told = |response| observed.finish(None, observed.span(None), Ok(response), unreached);
                if is_asked_first { told(response) } else { response }
            }
        };
        observed.tag(&mut response);
        response
    }

    /// Answers a request from wherever.
    async fn answer_any(&self, mut request: Request, observed: &Observed) -> Response {
        cut_empty_segment(&mut request);
        let is_head = request.method() == Method::HEAD;
        let found = self.0.find(&request);
        let route = found.as_ref().ok().copied();
        let span = observed.span(route);
        let (request, unread) = Unread::of(request);
        let mut verdict = None;
        let answering = async {
            if let Some(reason) = head::fault(&request) {
                return Err(ApiError::BadHead { reason }.into());
            }
            let answer = found?.answer(&self.0.server, request, &mut verdict).await;
            answer.map_err(Failure::from)
        };
        let answering = AssertUnwindSafe(answering.instrument(span.clone())).catch_unwind();
        let outcome = answering
            .await
            .unwrap_or_else(|reason| Err(Failure::Panic(reason)));
        let mut response = observed.finish(route, span, outcome, Failure::into_response);
        if let Some(verdict) = verdict {
            verdict.tell(&mut response);
        }
        if let Some(unread) = unread {
            unread.take(&mut response).await;
        }
        if is_head { without_body(response) } else { response }
    }
}

impl Service<Request> for Router {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let router = self.clone();
        Box::pin(async move { Ok(router.answer(request).await) })
    }
}

/// Why a request has no answer of its operation.
enum Failure {
    Refused(ApiError),
    /// The path has no operation with the method; says which it has.
    Method(HeaderValue),
    /// An endpoint panicked.
    Panic(Box<dyn Any + Send>),
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

impl Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(error) => error.into_response(),
            Self::Method(admitted) => {
                let mut response = ApiError::MethodNotAllowed.into_response();
                response.headers_mut().insert(header::ALLOW, admitted);
                response
            }
            Self::Panic(reason) => {
                let text = reason
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or(reason.downcast_ref::<&str>().copied());
                tracing::error!(reason = text.unwrap_or("unknown"), "an endpoint panicked");
                ApiError::Panicked.into_response()
            }
        }
    }
}

/// Stands for the failure of what cannot fail.
fn unreached(never: Infallible) -> Response {
    match never {}
}

/// Returns an answer without its body, but with the length that this would have.
fn without_body(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if let Some(size) = body.size_hint().exact() {
        let length = parts.headers.entry(header::CONTENT_LENGTH);
        length.or_insert_with(|| HeaderValue::from(size));
    }
    Response::from_parts(parts, Body::empty())
}

/// What answers the requests to one path, by method.
#[derive(Clone, Default)]
struct Methods(BTreeMap<&'static str, Arc<Route>>);

impl Methods {
    /// Returns what answers a method: what can be asked for, can be asked for its head.
    fn find(&self, method: &Method) -> Result<&Route, Failure> {
        let method = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let route = self.0.get(method.as_str()).map(Arc::as_ref);
        route.ok_or_else(|| Failure::Method(self.admitted()))
    }

    /// Returns the methods that there are.
    fn admitted(&self) -> HeaderValue {
        let mut names: BTreeSet<&str> = self.0.keys().copied().collect();
        if names.contains(Method::GET.as_str()) {
            names.insert(Method::HEAD.as_str());
        }
        let names = names.into_iter().collect::<Vec<_>>().join(",");
        HeaderValue::try_from(names).unwrap_or(HeaderValue::from_static(""))
    }
}

impl Parts {
    /// Returns what answers a request.
    fn find(&self, request: &Request) -> Result<&Route, Failure> {
        let found = self.paths.at(request.uri().path());
        let found = found.map_err(|_| ApiError::UnknownPath)?;
        found.value.find(request.method())
    }
}

/// Makes a path that begins with two slashes begin with one: so it does if the base address that a client was given ends
/// with a slash.
fn cut_empty_segment(request: &mut Request) {
    let path = request.uri().path_and_query().map(PathAndQuery::as_str);
    if let Some(rest) = path.and_then(|path| path.strip_prefix('/'))
        && rest.starts_with("/v1/")
        && let Ok(uri) = Uri::builder().path_and_query(rest).build()
    {
        *request.uri_mut() = uri;
    }
}

/// Returns what answers each path.
///
/// Each path is served with and without its trailing slash: clients of the contract are not of one mind about it.
/// Where both are documented, each is its own.
#[expect(
    clippy::panic,
    reason = "the router is made at start, and every test makes it"
)]
fn paths() -> matchit::Router<Methods> {
    let mut documented = Paths::new();
    for (operation, answerer) in operations() {
        let methods = documented.entry(shape(&operation.path)).or_default();
        methods
            .0
            .insert(&operation.method, Arc::new(Route::new(operation, answerer)));
    }
    let mut router = matchit::Router::new();
    for (path, methods) in with_twins(documented) {
        let inserted = router.insert(&path, methods);
        inserted.unwrap_or_else(|error| panic!("`{path}` cannot be served: {error}"));
    }
    router
}

type Paths = BTreeMap<String, Methods>;

/// Adds every path with its trailing slash turned round.
///
/// A slash is not put behind a path where this gives a documented path with a parameter: `version_sets/diff/` is the set
/// called `diff`, and `version_sets/diff` compares sets. What such a path does not know itself is then about the other's
/// thing: a PUT of `version_sets/diff` is one of the set.
fn with_twins(documented: Paths) -> Paths {
    let mut all = documented.clone();
    for (path, methods) in &documented {
        let twin = path
            .strip_suffix('/')
            .map_or_else(|| format!("{path}/"), str::to_owned);
        for (method, route) in &methods.0 {
            let mut covering = documented.iter().filter(|(other, _)| covers(other, &twin));
            let taker = covering.find(|(_, others)| twin.ends_with('/') && others.0.contains_key(method));
            let (place, more) = match taker {
                Some((_, others)) => (path, others.clone()),
                None => (&twin, Methods(BTreeMap::from([(*method, Arc::clone(route))]))),
            };
            let served = all.entry(place.clone()).or_default();
            for (method, route) in more.0 {
                served.0.entry(method).or_insert(route);
            }
        }
    }
    all
}

/// Returns `true` if a path with parameters also stands for another path.
fn covers(general: &str, path: &str) -> bool {
    let (general, path): (Vec<&str>, Vec<&str>) = (general.split('/').collect(), path.split('/').collect());
    let stands_for =
        |(general, path): (&&str, &&str)| general == path || general.starts_with('{') && !path.is_empty();
    general != path && general.len() == path.len() && general.iter().zip(&path).all(stands_for)
}

/// Returns a path with its parameters numbered: operations may share a path and call its parameters differently.
fn shape(path: &str) -> String {
    let segments = path.split('/').enumerate().map(|(position, segment)| {
        if segment.starts_with('{') {
            format!("{{p{position}}}")
        } else {
            segment.to_owned()
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Returns the ids of the operations that are served.
pub fn served_operations() -> BTreeSet<&'static str> {
    operations().ids().collect()
}
