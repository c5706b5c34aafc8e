//! One connection: its requests, one after the other.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;

use axum::body::Body;
use axum::response::Response;
use futures_util::future::BoxFuture;
use futures_util::future::Either;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::Service;

use crate::at_once::AtOnce;
use crate::observed;
use crate::router::Router;
use crate::serve::Peer;

/// Answers the requests of a connection: of those that runtimes ask all day nearly all at once, the others by the router.
pub(crate) struct Connection {
    router: Router,
    at_once: AtOnce,
    peer: SocketAddr,
}

impl Connection {
    /// Creates a connection from somewhere.
    pub(crate) fn new(router: Router, peer: SocketAddr) -> Self {
        Self {
            at_once: AtOnce::default(),
            router,
            peer,
        }
    }
}

impl Service<Request<Incoming>> for Connection {
    type Response = Response;
    type Error = Infallible;
    type Future =
        Either<Ready<Result<Response, Infallible>>, BoxFuture<'static, Result<Response, Infallible>>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        // Where each request is logged, none is answered without.
        let server = self.router.resolves_at_once().filter(|_| !observed::logs_all());
        if let Some(response) = server.and_then(|server| self.at_once.answer(server, &request)) {
            return Either::Left(ready(Ok(response)));
        }
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(self.peer));
        let router = self.router.clone();
        Either::Right(Box::pin(async move { Ok(router.answer(request).await) }))
    }
}
