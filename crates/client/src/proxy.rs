//! The proxy that the environment names for a server.

use http::{HeaderValue, Uri};
#[cfg(feature = "proxy")]
use hyper_util::client::proxy::matcher::Matcher;

/// A proxy.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    pub(crate) address: Uri,
    pub(crate) authorization: Option<HeaderValue>,
}

/// How a server is reached.
#[derive(Debug, Clone)]
#[cfg_attr(
    not(feature = "proxy"),
    expect(dead_code, reason = "nothing names a proxy without the feature")
)]
pub(crate) enum Route {
    /// Without a proxy.
    Direct,
    /// By a proxy that is asked in its place, as it speaks plain HTTP.
    Forward(Proxy),
    /// Through a proxy, which sees bytes only.
    Tunnel(Proxy),
}

impl Route {
    /// Returns how a server is reached: directly, as this is built without proxies.
    #[cfg(not(feature = "proxy"))]
    pub(crate) fn to(_: &Uri) -> Self {
        Self::Direct
    }

    /// Returns how a server is reached, as `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    #[cfg(feature = "proxy")]
    pub(crate) fn to(server: &Uri) -> Self {
        Self::by(&Matcher::from_env(), server)
    }

    #[cfg(feature = "proxy")]
    fn by(proxies: &Matcher, server: &Uri) -> Self {
        let Some(found) = proxies.intercept(server) else {
            return Self::Direct;
        };
        let proxy = Proxy {
            address: found.uri().clone(),
            authorization: found.basic_auth().cloned(),
        };
        if server.scheme_str() == Some("https") {
            Self::Tunnel(proxy)
        } else {
            Self::Forward(proxy)
        }
    }
}

#[cfg(all(test, feature = "proxy"))]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_of_the_server_decides_which_proxy_and_how() {
        let proxies = Matcher::builder()
            .http("http://user:secret@one:1")
            .https("http://two:2")
            .no("near.example")
            .build();
        let route = |server| Route::by(&proxies, &Uri::from_static(server));
        let Route::Forward(proxy) = route("http://far.example") else {
            panic!("plain HTTP is forwarded");
        };
        assert_eq!(
            proxy.address.authority().map(http::uri::Authority::host),
            Some("one")
        );
        assert_eq!(
            proxy.authorization.unwrap(),
            HeaderValue::from_static("Basic dXNlcjpzZWNyZXQ=")
        );
        let Route::Tunnel(proxy) = route("https://far.example") else {
            panic!("TLS is tunnelled");
        };
        assert_eq!(proxy.address.to_string(), "http://two:2/");
        assert!(proxy.authorization.is_none());
        assert!(matches!(route("https://near.example"), Route::Direct));
    }
}
