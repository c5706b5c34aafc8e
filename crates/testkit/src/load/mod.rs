//! What benchmarks need: a server on a real socket, clients that cost little, and figures.

mod client;
mod figures;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::response::Response;
use tokio::runtime::{Builder, Runtime};
use tower::Service;

pub use client::{Answer, Request, run};
pub use figures::{Figures, print_head, print_machine};

use crate::{Engine, TestDatabase, TestServer, limits};

/// Returns how long each figure is measured, after a tenth of it to warm up: 5 seconds, or what the variable
/// `FORGE_BENCH_SECONDS` says.
///
/// # Panics
/// If the variable holds something else than a number.
pub fn seconds() -> Duration {
    let text = std::env::var("FORGE_BENCH_SECONDS").unwrap_or_else(|_| "5".into());
    Duration::from_secs_f64(text.parse().unwrap())
}

/// Returns a runtime like the one of `forge serve`.
///
/// Clients run elsewhere, so that they are not scheduled with it.
///
/// # Panics
/// If the system gives no threads.
pub fn server_runtime() -> Runtime {
    Builder::new_multi_thread().enable_all().build().unwrap()
}

/// Returns the engines that can be measured here.
pub fn engines() -> impl Iterator<Item = Engine> {
    [Engine::Sqlite, Engine::Postgres]
        .into_iter()
        .filter(|engine| engine.is_available())
}

/// A server on a database and a socket of its own.
pub struct Site {
    /// The server; its router answers without the socket.
    pub server: TestServer,
    /// Its socket.
    pub address: SocketAddr,
    /// Its database.
    pub database: TestDatabase,
}

impl Site {
    /// Starts a server.
    pub async fn start(engine: Engine) -> Self {
        let database = TestDatabase::start(engine).await;
        let server = TestServer::alone(&database).await;
        let address = serve(server.router.clone()).await;
        Self {
            server,
            address,
            database,
        }
    }
}

/// Serves anything on a free port, as `forge serve` does, for as long as the runtime lives.
///
/// # Panics
/// If there is no free port.
pub async fn serve<S>(service: S) -> SocketAddr
where
    S: Service<axum::extract::Request, Response = Response, Error = Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
{
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(forge_api::serve_any(
        listener,
        service,
        limits(),
        std::future::pending(),
    ));
    address
}
