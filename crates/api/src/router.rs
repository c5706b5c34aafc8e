//! Which function answers which operation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, Uri};
use axum::response::IntoResponse as _;
use axum::routing::{MethodFilter, MethodRouter, on};
use forge_app::App;
use forge_contract::{Operation, contract};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tower::ServiceExt as _;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::call::{Call, place};
use crate::caller::Authenticate;
use crate::error::ApiError;
use crate::reply::Answer;
use crate::server::Server;
use crate::{Limits, head, middleware, reading, replay, routes};

/// Collects the operations; methods and paths come from the contract.
struct Operations {
    server: Server,
    ids: BTreeSet<&'static str>,
    paths: Paths,
}

impl Operations {
    /// Adds an operation that belongs to an organization.
    fn add<P, Q, B, C, F, Fut>(mut self, id: &'static str, endpoint: F) -> Self
    where
        P: DeserializeOwned + Send + 'static,
        Q: DeserializeOwned + Send + 'static,
        B: DeserializeOwned + Send + 'static,
        C: Authenticate + 'static,
        F: Fn(Call<P, Q, B, C>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Answer> + Send,
    {
        let needs_user = contract().operation(id).map(|operation| operation.needs_user);
        assert_eq!(
            needs_user,
            Some(C::NEEDS_USER),
            "`{id}` and the contract differ about credentials"
        );
        let server = self.server.clone();
        self.add_plain(id, move |request: Request| {
            let (server, endpoint) = (server.begin_request(), endpoint.clone());
            async move {
                let operation = contract().operation(id).ok_or(ApiError::UnknownPath)?;
                let mut verdict = None;
                let answer = match Call::<P, Q, B, C>::read(&server, operation, request, &mut verdict).await {
                    Ok(call) => {
                        let holders = Arc::clone(call.place.holders());
                        let answer = answer(&server, operation, call, endpoint).await;
                        // What was done is told, however much is held.
                        if operation.method == "GET" {
                            answer.and_then(|response| server.large_answers.keep(&holders, response))
                        } else {
                            answer
                        }
                    }
                    Err(error) => Err(error),
                };
                let answer = answer.map_err(|error| error.placed(operation));
                let answer = server.app.await_durability(answer).await;
                let mut response = answer.into_response();
                if let Some(verdict) = verdict {
                    verdict.tell(&mut response);
                }
                Ok(response)
            }
        });
        self
    }

    /// Adds an operation of the server itself.
    fn add_server<F, Fut>(mut self, id: &'static str, endpoint: F) -> Self
    where
        F: Fn(App) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Answer> + Send,
    {
        let app = self.server.app.clone();
        self.add_plain(id, move |_: Request| endpoint(app.clone()));
        self
    }

    #[expect(
        clippy::panic,
        reason = "the router is made at start, and every test makes it"
    )]
    fn add_plain<F, Fut>(&mut self, id: &'static str, endpoint: F)
    where
        F: Fn(Request) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Answer> + Send,
    {
        let operation = contract()
            .operation(id)
            .unwrap_or_else(|| panic!("the contract has no operation `{id}`"));
        let method = MethodFilter::try_from(operation.method.parse::<Method>().unwrap_or_default());
        let method = method.unwrap_or_else(|_| panic!("`{id}` has an unknown method"));
        let router = on(method, move |request: Request| {
            tracing::Span::current().record("operation", id);
            endpoint(request)
        });
        self.ids.insert(id);
        self.paths
            .entry(shape(&operation.path))
            .or_default()
            .insert(operation.method.clone(), router);
    }

    /// Builds the router.
    ///
    /// Each path is served with and without its trailing slash: clients of the contract are not of one mind about it.
    /// Where both are documented, each is its own.
    fn into_router(self) -> Router {
        with_twins(self.paths)
            .into_iter()
            .fold(Router::new(), |router, (path, methods)| {
                let merged = methods
                    .into_values()
                    .fold(MethodRouter::new(), MethodRouter::merge);
                router.route(&path, merged)
            })
    }
}

/// Answers a call that was read; one that reads itself has a place meanwhile, until its answer is written.
async fn answer<P, Q, B, C, F, Fut>(
    server: &Server,
    operation: &Operation,
    call: Call<P, Q, B, C>,
    endpoint: F,
) -> Answer
where
    C: Authenticate,
    F: FnOnce(Call<P, Q, B, C>) -> Fut,
    Fut: Future<Output = Answer>,
{
    let _place = if reading::reads(operation) {
        Some(server.reading.take(call.place.holders()).await?)
    } else {
        None
    };
    replay::answer(call, endpoint).await
}

type Paths = BTreeMap<String, BTreeMap<String, MethodRouter>>;

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
        for (method, router) in methods {
            let mut covering = documented.iter().filter(|(other, _)| covers(other, &twin));
            let taker = covering.find(|(_, others)| twin.ends_with('/') && others.contains_key(method));
            let (place, more) = match taker {
                Some((_, others)) => (path, others.clone()),
                None => (&twin, BTreeMap::from([(method.clone(), router.clone())])),
            };
            let served = all.entry(place.clone()).or_default();
            for (method, router) in more {
                served.entry(method).or_insert(router);
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
            format!("{{{}}}", place(position))
        } else {
            segment.to_owned()
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

fn operations(app: App, limits: Limits, stopping: watch::Receiver<bool>) -> Operations {
    use routes::{
        agents, api_keys, assets, audit_events, changes, context_graphs, models, organizations, roles,
        server, services, temporary_grants, users, version_sets,
    };
    let operations = Operations {
        server: Server::new(app, limits, stopping),
        ids: BTreeSet::new(),
        paths: BTreeMap::new(),
    };
    add_simulations(add_items(operations))
        .add("sign-in-with-api-key", users::sign_in::handle)
        .add("create-invited-user", users::invite::handle)
        .add("get-users", users::list::handle)
        .add("update-user-info", users::update::handle)
        .add("delete-user", users::delete::handle)
        .add("create-role", roles::create::handle)
        .add("get_roles_v1__organization__role__get", roles::list::handle)
        .add("modify-role", roles::modify::handle)
        .add("assign-role", roles::assign::handle)
        .add(
            "create-temporary-permission-grant",
            temporary_grants::create::handle,
        )
        .add("get-temporary-permission-grants", temporary_grants::list::handle)
        .add("create-api-key", api_keys::create::handle)
        .add("get-api-keys", api_keys::list::handle)
        .add("delete-api-key", api_keys::delete::handle)
        .add("create-organization", organizations::create::handle)
        .add("modify-organization", organizations::modify::handle)
        .add("get-organization", organizations::get::handle)
        .add("create-agent", assets::create::agent)
        .add("get-agents", assets::list::agents)
        .add("create-agent-version", agents::create_version::handle)
        .add("get-agent-versions", assets::list_versions::agent)
        .add("delete-agent", assets::delete::agent)
        .add(
            "create-service-hierarchical-state-machine",
            assets::create::context_graph,
        )
        .add(
            "get-service-hierarchical-state-machines",
            assets::list::context_graphs,
        )
        .add(
            "create-service-hierarchical-state-machine-version",
            context_graphs::create_version::handle,
        )
        .add(
            "get-service-hierarchical-state-machine-versions",
            assets::list_versions::context_graph,
        )
        .add(
            "delete-service-hierarchical-state-machine",
            assets::delete::context_graph,
        )
        .add("get-services", services::list::handle)
        .add("create-service", services::create::handle)
        .add("update-service", services::update::handle)
        .add("upsert-service-version-set", version_sets::upsert::handle)
        .add("delete-service-version-set", version_sets::delete::handle)
        .add("get-version-sets", version_sets::list::handle)
        .add("get-version-set", version_sets::get::handle)
        .add("resolve-version-set", version_sets::resolve::handle)
        .add("compare-version-sets", version_sets::diff::handle)
        .add("get-version-set-history", version_sets::history::handle)
        .add("promote-version-set", version_sets::promote::handle)
        .add("roll-back-version-set", version_sets::rollback::handle)
        .add("lift-version-set-hold", version_sets::lift_hold::handle)
        .add("promote-version-sets", version_sets::promote_many::handle)
        .add("get-service-health", services::health::handle)
        .add("get-agent-version-references", assets::references::agent)
        .add("yank-agent-version", assets::yank::agent)
        .add("unyank-agent-version", assets::yank::agent_back)
        .add(
            "get-service-hierarchical-state-machine-version-references",
            assets::references::context_graph,
        )
        .add(
            "yank-service-hierarchical-state-machine-version",
            assets::yank::context_graph,
        )
        .add(
            "unyank-service-hierarchical-state-machine-version",
            assets::yank::context_graph_back,
        )
        .add("watch-organization", changes::watch::handle)
        .add("get-audit-events", audit_events::list::handle)
        .add("get-audit-head", audit_events::head::handle)
        .add("export-audit-events", audit_events::export::handle)
        .add("get-models", models::list::handle)
        .add_server("get-liveness", server::health::live)
        .add_server("get-readiness", server::health::ready)
}

/// Adds the operations on dynamic behavior sets, metrics, personas and scenarios.
fn add_items(operations: Operations) -> Operations {
    use routes::{behavior_sets, metrics, personas, scenarios};
    operations
        .add("create-dynamic-behavior-set", behavior_sets::create::handle)
        .add("get-dynamic-behavior-sets", behavior_sets::list::handle)
        .add("search-dynamic-behavior-sets", behavior_sets::search::handle)
        .add("update-dynamic-behavior-set", behavior_sets::update::handle)
        .add(
            "delete-dynamic-behavior-instruction",
            behavior_sets::delete::handle,
        )
        .add(
            "create-dynamic-behavior-set-version",
            behavior_sets::create_version::handle,
        )
        .add(
            "get-dynamic-behavior-set-versions",
            behavior_sets::list_versions::handle,
        )
        .add(
            "get-dynamic-behavior-invocations",
            behavior_sets::invocations::handle,
        )
        .add("evaluate-metrics", metrics::evaluate::handle)
        .add("get-metric-evaluation-results", metrics::results::handle)
        .add("create-metric", metrics::create::handle)
        .add("get-metrics", metrics::list::handle)
        .add("update-metric", metrics::update::handle)
        .add("delete-metric", metrics::delete::handle)
        .add("create-simulation-persona", personas::create::handle)
        .add("get-simulation-personas", personas::list::handle)
        .add("search-simulation-personas", personas::search::handle)
        .add("update-simulation-persona", personas::update::handle)
        .add("delete-simulation-persona", personas::delete::handle)
        .add(
            "create-simulation-persona-version",
            personas::create_version::handle,
        )
        .add("get-simulation-persona-versions", personas::list_versions::handle)
        .add("create-simulation-scenario", scenarios::create::handle)
        .add("get-simulation-scenarios", scenarios::list::handle)
        .add("search-simulation-scenarios", scenarios::search::handle)
        .add("update-simulation-scenario", scenarios::update::handle)
        .add("delete-simulation-scenario", scenarios::delete::handle)
        .add(
            "create-simulation-scenario-version",
            scenarios::create_version::handle,
        )
        .add(
            "get-simulation-scenario-versions",
            scenarios::list_versions::handle,
        )
}

/// Adds the operations on unit tests, sets of them and runs.
fn add_simulations(operations: Operations) -> Operations {
    use routes::{unit_test_set_runs, unit_test_sets, unit_tests};
    operations
        .add("create-simulation-unit-test", unit_tests::create::handle)
        .add("get-simulation-unit-tests", unit_tests::list::handle)
        .add("update-simulation-unit-test", unit_tests::update::handle)
        .add("delete-simulation-unit-test", unit_tests::delete::handle)
        .add("search-simulation-unit-tests", unit_tests::search::handle)
        .add("create-simulation-unit-test-set", unit_test_sets::create::handle)
        .add("get-simulation-unit-test-sets", unit_test_sets::list::handle)
        .add("update-simulation-unit-test-set", unit_test_sets::update::handle)
        .add("delete-simulation-unit-test-set", unit_test_sets::delete::handle)
        .add("search-simulation-unit-test-sets", unit_test_sets::search::handle)
        .add(
            "create-simulation-unit-test-set-run",
            unit_test_set_runs::create::handle,
        )
        .add(
            "get-simulation-unit-test-set-runs",
            unit_test_set_runs::list::handle,
        )
        .add(
            "get-simulation-unit-test-set-run-artifacts",
            unit_test_set_runs::artifacts::handle,
        )
        .add(
            "download-simulation-unit-test-set-run-artifacts",
            unit_test_set_runs::download::handle,
        )
        .add(
            "cancel-simulation-unit-test-set-run",
            unit_test_set_runs::cancel::handle,
        )
}

/// Adds the operations on conversations.
fn add_conversations(operations: Operations) -> Operations {
    use routes::conversations;
    operations
        .add("create-conversation", conversations::create::handle)
        .add("interact-with-conversation", conversations::interact::handle)
        .add("finish-conversation", conversations::finish::handle)
        .add("delete-conversation", conversations::delete::handle)
        .add("get-conversations", conversations::list::handle)
        .add("get-conversation-messages", conversations::messages::handle)
        .add("get-interaction-insights", conversations::insights::handle)
        .add(
            "recommend-responses-for-interaction",
            conversations::recommend::handle,
        )
}

/// The operation that tells all operations, itself included.
const OPENAPI: &str = "get-openapi";

/// Builds the router of the whole API.
pub fn router(app: App, limits: Limits) -> Router {
    router_until(app, limits, never_stopping())
}

/// Returns what says that the server does not stop.
fn never_stopping() -> watch::Receiver<bool> {
    watch::channel(false).1
}

/// Builds the router of the whole API, for a server whose streams end when it stops.
pub(crate) fn router_until(app: App, limits: Limits, stopping: watch::Receiver<bool>) -> Router {
    let random = Arc::clone(&app.random);
    let cross_origin = cross_origin(&limits.allowed_origins);
    let mut operations = add_conversations(operations(app, limits, stopping));
    operations.ids.insert(OPENAPI);
    let document = Bytes::from(contract().serving(&operations.ids).to_string());
    operations.add_plain(OPENAPI, move |_: Request| {
        std::future::ready(Ok(routes::server::openapi::answer(document.clone())))
    });
    let router = operations
        .into_router()
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed.into_response());
    let known = router.clone();
    router
        .fallback(
            async move |request: Request| match without_empty_segment(request) {
                Some(request) => known.oneshot(request).await.into_response(),
                None => ApiError::UnknownPath.into_response(),
            },
        )
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(
            middleware::panicked,
        ))
        .layer(axum::middleware::from_fn(head::check))
        .layer(tower::util::option_layer(cross_origin))
        .layer(axum::middleware::from_fn(move |request, next| {
            middleware::observe(Arc::clone(&random), request, next)
        }))
}

/// Returns a request for a path that begins with two slashes as if it began with one: so it does if the base address
/// that a client was given ends with a slash.
fn without_empty_segment(mut request: Request) -> Option<Request> {
    let rest = request.uri().path_and_query()?.as_str().strip_prefix('/')?;
    if !rest.starts_with("/v1/") {
        return None;
    }
    let uri = Uri::builder().path_and_query(rest).build().ok()?;
    *request.uri_mut() = uri;
    Some(request)
}

/// Returns what lets pages of these origins call the API from a browser, or `None` if there are none.
fn cross_origin(origins: &[String]) -> Option<CorsLayer> {
    const DAY: Duration = Duration::from_hours(24);
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(
            origins
                .iter()
                .filter_map(|origin| HeaderValue::from_str(origin).ok()),
        ))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        // Whatever headers a page sends, the token decides; it is in a header that no browser adds by itself.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(EXPOSED.map(HeaderName::from_static))
        .max_age(DAY);
    (!origins.is_empty()).then_some(layer)
}

/// The headers of answers that pages of other origins may read.
const EXPOSED: [&str; 9] = [
    "etag",
    "forge-sequence",
    "retry-after",
    "warning",
    "www-authenticate",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
];

/// Returns the ids of the operations that are served.
pub fn served_operations(app: App) -> BTreeSet<&'static str> {
    let mut ids = add_conversations(operations(app, Limits::default(), never_stopping())).ids;
    ids.insert(OPENAPI);
    ids
}
