//! Connections: how many there are, how long they may be silent, and how they end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;

use crate::Limits;

/// How long a connection may take to send the head of a request, and stay open without one.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// What the parser takes in at most; the limits that callers are told about are lower.
///
/// The buffers of a connection grow to this size whoever is at its other end, and twice as far while they grow.
const PARSER_HEADERS: usize = 1024;
const PARSER_BYTES: usize = 40 * 1024;

/// How many who find no place are told so at once.
const TURNED_AWAY: usize = 32;

/// Visibility to whoever finds no place, without a place being needed for it.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n\
    Connection: close\r\nContent-Length: 53\r\n\r\n{\"detail\": \"too many connections; try again shortly\"}";

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Accepts connections until `shutdown` is done, then waits for the requests under way.
pub(crate) async fn serve<S>(
    listener: TcpListener,
    connection: impl Fn(SocketAddr) -> S,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<()>
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible> + Send + 'static,
    S::Future: Send,
{
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    builder.max_headers(PARSER_HEADERS).max_buf_size(PARSER_BYTES);
    let places = Arc::new(Semaphore::new(limits.max_connections));
    let turned_away = Arc::new(Semaphore::new(TURNED_AWAY));
    let graceful = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let (stream, peer) = tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Such as too many open files: others may end meanwhile.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            // Beyond some, they are cut off without a word: each of these takes a descriptor, too.
            if let Ok(turn) = Arc::clone(&turned_away).try_acquire_owned() {
                tokio::spawn(async move {
                    turn_away(stream).await;
                    drop(turn);
                });
            }
            continue;
        };
        // Streams are sent event by event: none waits for the next one, or for the other end to say that it has the last.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection broke");
        }
        // Whoever does not read their answer is cut off: otherwise they keep a place for ever.
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits.write_timeout));
        let stream = TokioIo::new(Box::pin(stream));
        let serving = builder.serve_connection(stream, connection(peer));
        let serving = graceful.watch(serving);
        tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::debug!(%error, "a connection broke");
            }
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
    Ok(())
}

async fn turn_away(mut stream: TcpStream) {
    // Whoever does not read it learns it from the closed connection.
    let _ = tokio::time::timeout(Duration::from_secs(1), stream.write_all(FULL)).await;
}
