//! Connections to a server: with TLS or without, by a proxy or without.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
#[cfg(feature = "tls")]
use hyper_util::client::legacy::connect::proxy::Tunnel;
use tower_service::Service;

use crate::late::Late;
use crate::link::Link;
use crate::proxy::Route;
#[cfg(feature = "tls")]
use crate::tls::{Https, Tls};

/// How long it may take until there is a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection is silent before the other side is asked whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// How often it is asked in vain.
const KEEPALIVE_RETRIES: u32 = 3;

type BoxError = Box<dyn Error + Send + Sync>;

/// Makes connections to one server.
#[derive(Clone)]
pub(crate) enum Connector {
    /// To the server, or to the proxy that is asked in its place, without TLS.
    Plain(HttpConnector, Option<Uri>),
    /// To the server, or to the proxy that is asked in its place, with TLS.
    #[cfg(feature = "tls")]
    Tls(Https<HttpConnector>, Option<Uri>),
    /// To the server through a proxy.
    #[cfg(feature = "tls")]
    Tunnel(Https<Tunnel<Https<HttpConnector>>>),
}

impl Connector {
    /// Prepares connections to a server.
    ///
    /// # Errors
    ///
    /// Fails if the system has no certificates to trust, and if TLS is needed and this is built without it.
    pub(crate) fn new(server: &Uri, route: Route) -> Result<Self, BoxError> {
        let proxy = match &route {
            Route::Direct => None,
            Route::Forward(proxy) | Route::Tunnel(proxy) => Some(proxy.address.clone()),
        };
        if let Some(proxy) = &proxy
            && !matches!(proxy.scheme_str(), Some("http" | "https"))
        {
            return Err(format!(
                "a proxy that is asked by {:?} is not supported",
                proxy.scheme_str()
            )
            .into());
        }
        let is_tls = |address: &Uri| address.scheme_str() == Some("https");
        // Reading the system's certificates takes longer than a request.
        if !is_tls(server) && !proxy.as_ref().is_some_and(is_tls) {
            return Ok(Self::Plain(tcp(), proxy));
        }
        Self::with_tls(route)
    }

    #[cfg(feature = "tls")]
    fn with_tls(route: Route) -> Result<Self, BoxError> {
        let tls = Tls::of_the_system()?;
        let hop = tls.over(tcp());
        Ok(match route {
            Route::Direct => Self::Tls(hop, None),
            Route::Forward(proxy) => Self::Tls(hop, Some(proxy.address)),
            Route::Tunnel(proxy) => {
                let tunnel = Tunnel::new(proxy.address, hop);
                Self::Tunnel(tls.over(match proxy.authorization {
                    Some(authorization) => tunnel.with_auth(authorization),
                    None => tunnel,
                }))
            }
        })
    }

    #[cfg(not(feature = "tls"))]
    fn with_tls(_: Route) -> Result<Self, BoxError> {
        Err("this program is built without TLS".into())
    }

    async fn connect(self, server: Uri) -> Result<Link, BoxError> {
        match self {
            Self::Plain(mut tcp, None) => Ok(Link::new(tcp.call(server).await?)),
            Self::Plain(mut tcp, Some(proxy)) => Ok(Link::forwarding(tcp.call(proxy).await?)),
            #[cfg(feature = "tls")]
            Self::Tls(mut tls, None) => Ok(Link::new(tls.call(server).await?)),
            #[cfg(feature = "tls")]
            Self::Tls(mut tls, Some(proxy)) => Ok(Link::forwarding(tls.call(proxy).await?)),
            #[cfg(feature = "tls")]
            Self::Tunnel(mut tunnel) => Ok(Link::new(tunnel.call(server).await?)),
        }
    }
}

impl Service<Uri> for Connector {
    type Response = Link;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Link, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // Every call makes a connection of its own.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        let connecting = self.clone().connect(server);
        Box::pin(async {
            tokio::time::timeout(CONNECT_TIMEOUT, connecting)
                .await
                .unwrap_or_else(|_| Err(Late.into()))
        })
    }
}

fn tcp() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    // TLS is over it, where there is any.
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    tcp.set_keepalive(Some(KEEPALIVE));
    tcp.set_keepalive_interval(Some(KEEPALIVE));
    tcp.set_keepalive_retries(Some(KEEPALIVE_RETRIES));
    tcp
}
