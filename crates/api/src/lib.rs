//! HTTP: the router, how requests are read, and the only place where errors become status codes.
//!
//! An endpoint is a function from a [`call::Call`] to an answer, in a file of its own under `routes`. By the time it
//! runs, the organization exists, the caller is authenticated, and path, query and body have been validated against
//! the contract. It hands over to a use case of `app` and says how the answer looks. It holds no rule and no query.
//!
//! **Adding an endpoint:** `docs/adding-an-endpoint.md`.

mod call;
mod caller;
mod error;
mod middleware;
mod reply;
mod router;
mod routes;

use std::future::Future;

use forge_app::App;
use tokio::net::TcpListener;

pub use router::{router, served_operations};

/// What the server admits, whatever the endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest request body, in bytes.
    pub max_body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body_bytes: 4 * 1024 * 1024,
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
    axum::serve(listener, router(app, limits))
        .with_graceful_shutdown(shutdown)
        .await
}
