//! HTTP: the router, how requests are read, and the only place where errors become status codes.
//!
//! An endpoint is a function from a `call::Call` to an answer, in a file of its own under `routes`. By the time it
//! runs, the organization exists, the caller is authenticated, and path, query and body have been validated against
//! the contract. It hands over to a use case of `app` and says how the answer looks. It holds no rule and no query.
//!
//! **Adding an endpoint:** `docs/adding-an-endpoint.md`.

mod at_once;
mod bodies;
mod call;
mod caller;
mod conditions;
mod connection;
mod cross_origin;
mod endpoint;
mod error;
mod following;
mod form;
mod head;
mod headers;
mod idempotency_key;
mod kept_answers;
mod observed;
mod operations;
mod rate_limit;
mod reading;
mod replay;
mod reply;
mod request_body;
mod route;
mod router;
mod routes;
mod serve;
mod server;
mod stream;
mod tags;
mod unread;
mod views;

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;

use forge_app::simulations::unit_test_set_runs;

use forge_app::{App, snapshot};
use hyper::body::Incoming;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower::{Service, ServiceExt as _};

use crate::connection::Connection;
use crate::serve::Peer;

pub use rate_limit::RateLimits;
pub use router::{Router, served_operations};

/// How long giving back conversations of simulations may take when the server stops.
const GIVE_BACK: Duration = Duration::from_secs(5);

/// What the server admits, whatever the endpoint.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest request body, in bytes.
    pub max_body_bytes: usize,
    /// How much large bodies and answers may take in memory together, in bytes.
    pub bodies_bytes: usize,
    /// How much is remembered for a user of what was answered to calls under keys, in a day, in bytes.
    pub answers_bytes: usize,
    /// How many headers a request may have.
    pub max_headers: usize,
    /// How large the headers of a request may be together, in bytes.
    pub max_header_bytes: usize,
    /// How long the body of a request may take to arrive.
    pub body_timeout: Duration,
    /// How long a client may take to receive anything of an answer before it is cut off.
    pub write_timeout: Duration,
    /// How long a stream of changes may be silent before it gives a sign of life.
    pub heartbeat: Duration,
    /// How many connections there may be at once.
    pub max_connections: usize,
    /// The origins whose pages may call the API from a browser, such as `https://app.example.com`.
    pub allowed_origins: Vec<String>,
    /// How often each user may call each operation.
    pub rates: RateLimits,
    /// Whether resolving goes on during maintenance.
    pub resolve_in_maintenance: bool,
    /// How many conversations of simulations the server holds at once; with 0 it leaves them to others.
    pub parallel_simulations: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body_bytes: 4 * 1024 * 1024,
            bodies_bytes: 256 * 1024 * 1024,
            answers_bytes: 64 * 1024 * 1024,
            max_headers: 100,
            max_header_bytes: 32 * 1024,
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            heartbeat: Duration::from_secs(15),
            max_connections: 10_000,
            allowed_origins: Vec::new(),
            rates: RateLimits::default(),
            resolve_in_maintenance: false,
            parallel_simulations: 4,
        }
    }
}

/// Serves the API until `shutdown` is done; then requests under way are finished and no new ones accepted.
pub async fn serve(
    listener: TcpListener,
    app: App,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let following = app.clone();
    let following = tokio::spawn(async move { snapshot::follow(&following, snapshot::FOLLOW_EVERY).await });
    let stopping = watch::Sender::new(false);
    let (simulating, parallel) = (app.clone(), limits.parallel_simulations);
    let stops = stopping.subscribe();
    let simulating =
        tokio::spawn(async move { unit_test_set_runs::work(&simulating, parallel, stops).await });
    let router = Router::until(app, limits.clone(), stopping.subscribe());
    let shutdown = async move {
        shutdown.await;
        // Streams of changes have no end of their own. Nobody hears it if there are none.
        stopping.send_replace(true);
    };
    let connection = |peer| Connection::new(router.clone(), peer);
    let served = serve::serve(listener, connection, limits, shutdown).await;
    // Conversations of simulations are given back, which takes a moment.
    if tokio::time::timeout(GIVE_BACK, simulating).await.is_err() {
        tracing::warn!(
            "conversations of simulations were not given back; others wait for their leases to end"
        );
    }
    following.abort();
    served
}

/// Serves anything as the API is served.
pub async fn serve_any<S>(
    listener: TcpListener,
    service: S,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let connection = |peer| {
        let service = service
            .clone()
            .map_request(move |request: hyper::Request<Incoming>| {
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(Peer(peer));
                request
            });
        TowerToHyperService::new(service)
    };
    serve::serve(listener, connection, limits, shutdown).await
}
