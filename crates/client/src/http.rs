//! HTTP/1.1 with one server.

use std::error::Error;
use std::time::Duration;

use http::header::{ACCEPT, HeaderMap, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::connector::Connector;
use crate::late::Late;
use crate::proxy::Route;

/// How long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(90);

/// Why there was no answer to a request, or not all of it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct HttpError(#[from] Kind);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    #[error("the server and its proxy cannot be reached from here")]
    Setup(#[source] Box<dyn Error + Send + Sync>),
    #[error("a part of it is not allowed in HTTP")]
    Unsendable(#[source] http::Error),
    #[error("error sending request")]
    Sending(#[source] legacy::Error),
    #[error("error sending request")]
    Late(#[source] Late),
    #[error("error reading the answer")]
    Reading(#[source] hyper::Error),
}

impl HttpError {
    /// The error of a request that took too long.
    pub(crate) fn late() -> Self {
        Self(Kind::Late(Late))
    }

    /// Returns `true` if there was no connection, so that the server has not seen the request.
    pub(crate) fn is_connect(&self) -> bool {
        matches!(&self.0, Kind::Sending(error) if error.is_connect())
    }

    /// Returns `true` if it took longer than it may.
    pub fn is_timeout(&self) -> bool {
        let mut causes = std::iter::successors(self.source(), |&cause| cause.source());
        causes.any(<dyn Error>::is::<Late>)
    }

    /// Returns `true` if the request is none, so that it is never sent.
    pub(crate) fn is_unsendable(&self) -> bool {
        matches!(self.0, Kind::Unsendable(_))
    }
}

impl From<http::Error> for HttpError {
    fn from(error: http::Error) -> Self {
        Self(Kind::Unsendable(error))
    }
}

/// The connections to a server.
pub(crate) struct Http {
    pool: legacy::Client<Connector, Full<Bytes>>,
    /// What every request says beside its own headers.
    headers: HeaderMap,
}

impl Http {
    /// Prepares connections to a server; none is made yet.
    pub(crate) fn new(server: &Uri, user_agent: &str) -> Result<Self, HttpError> {
        Self::by(Route::to(server), server, user_agent)
    }

    fn by(route: Route, server: &Uri, user_agent: &str) -> Result<Self, HttpError> {
        let user_agent = HeaderValue::from_str(user_agent).map_err(http::Error::from)?;
        let mut headers = HeaderMap::from_iter([
            (USER_AGENT, user_agent),
            (ACCEPT, HeaderValue::from_static("*/*")),
        ]);
        if let Route::Forward(proxy) = &route
            && let Some(authorization) = &proxy.authorization
        {
            headers.insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        let pool = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(Connector::new(server, route).map_err(Kind::Setup)?);
        Ok(Self { pool, headers })
    }

    /// Sends a request, and returns its answer as soon as its headers are there.
    ///
    /// Redirections are answers as any other: credentials go to the server that was named, and nowhere else.
    pub(crate) async fn send(&self, mut request: Request<Full<Bytes>>) -> Result<Response, HttpError> {
        request.headers_mut().extend(self.headers.clone());
        let (head, body) = self
            .pool
            .request(request)
            .await
            .map_err(Kind::Sending)?
            .into_parts();
        Ok(Response {
            status: head.status,
            headers: head.headers,
            body,
        })
    }
}

/// An answer whose body has not been read yet.
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Incoming,
}

impl Response {
    /// Returns the next part of the body, or `None` at its end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        while let Some(frame) = self.body.frame().await {
            // What is no data are trailers, which nobody asks for.
            if let Ok(data) = frame.map_err(Kind::Reading)?.into_data() {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;

    use super::*;
    use crate::proxy::Proxy;

    /// Starts a proxy that gives one answer, and returns its address and what it will have been asked.
    fn proxy(answer: &'static str) -> (Proxy, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = std::thread::spawn(move || {
            let mut reader = BufReader::new(listener.accept().unwrap().0);
            let mut asked = String::new();
            while reader.read_line(&mut asked).unwrap() > 2 {}
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
            asked.to_lowercase()
        });
        let proxy = Proxy {
            address: address.parse().unwrap(),
            authorization: Some(HeaderValue::from_static("Basic dTpw")),
        };
        (proxy, asked)
    }

    async fn ask(route: Route, server: &'static str) -> Result<Response, HttpError> {
        let server = Uri::from_static(server);
        let http = Http::by(route, &server, "test").unwrap();
        let request = Request::get(server).body(Full::default()).unwrap();
        http.send(request).await
    }

    #[tokio::test]
    async fn a_proxy_is_asked_for_the_whole_address_of_a_plain_server() {
        let (proxy, asked) = proxy("HTTP/1.1 204 X\r\n\r\n");
        let response = ask(Route::Forward(proxy), "http://far.example/a?b=c")
            .await
            .unwrap();
        assert_eq!(response.status, StatusCode::NO_CONTENT);
        let asked = asked.join().unwrap();
        assert!(
            asked.starts_with("get http://far.example/a?b=c http/1.1\r\n"),
            "{asked}"
        );
        assert!(
            asked.contains("\r\nproxy-authorization: basic dtpw\r\n"),
            "{asked}"
        );
        assert!(asked.contains("\r\nhost: far.example\r\n"), "{asked}");
        assert!(asked.contains("\r\nuser-agent: test\r\n"), "{asked}");
    }

    #[cfg(feature = "tls")]
    #[tokio::test]
    async fn a_server_with_tls_is_reached_through_a_proxy_that_sees_its_name_only() {
        let (proxy, asked) = proxy("HTTP/1.1 403 X\r\n\r\n");
        let Err(error) = ask(Route::Tunnel(proxy), "https://far.example/a").await else {
            panic!("a proxy that refuses is no server");
        };
        assert!(error.is_connect(), "{error:?}");
        let asked = asked.join().unwrap();
        assert!(
            asked.starts_with("connect far.example:443 http/1.1\r\n"),
            "{asked}"
        );
        assert!(
            asked.contains("\r\nproxy-authorization: basic dtpw\r\n"),
            "{asked}"
        );
        assert!(!asked.contains("/a"), "{asked}");
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn a_server_with_tls_cannot_be_reached_without_it() {
        let server = Uri::from_static("https://far.example");
        let error = Http::by(Route::Direct, &server, "test").err().unwrap();
        assert_eq!(
            error.source().unwrap().to_string(),
            "this program is built without TLS"
        );
    }
}
