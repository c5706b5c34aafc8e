//! Resolving at once: what runtimes ask thousands of times a second, without what every other request needs.
//!
//! Only what is plainly usual is answered here, and it is answered as the router would: that stays the only authority, and
//! tests hold the two against each other with every request that they make. Anything else is left to it: other headers, a
//! query, a caller who is not known on this connection yet, a right with conditions, a set of which nobody has asked.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use axum::response::Response;
use forge_app::version_sets::at_once::Reader;
use forge_domain::ServiceId;
use hyper::body::Body;
use subtle::ConstantTimeEq as _;

use crate::observed::Observed;
use crate::routes::version_sets::resolve;
use crate::server::Server;
use crate::{head, headers};

/// The headers of usual requests that say nothing here.
const SILENT: [&str; 18] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "forwarded",
    "pragma",
    "sec-fetch-mode",
    "traceparent",
    "tracestate",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
];

/// Answers at once, for one connection.
#[derive(Default)]
pub(crate) struct AtOnce {
    /// Who asked last; they ask again. Nobody else ever waits for it.
    known: Mutex<Option<Known>>,
}

/// Somebody who is known by what they send.
struct Known {
    authorization: HeaderValue,
    reader: Arc<Reader>,
}

/// What the head of a usual request says.
struct Asked<'r> {
    organization: &'r str,
    service: ServiceId,
    set: &'r str,
    authorization: &'r HeaderValue,
    held: Option<&'r str>,
}

impl AtOnce {
    /// Returns the answer to a request, or `None` if it is not one of the usual.
    pub(crate) fn answer(&self, server: &Server, request: &Request<impl Body>) -> Option<Response> {
        let asked = Asked::of(request)?;
        if !headers::fit(request.headers(), &server.limits) {
            return None;
        }
        let prepared =
            |reader: &Reader| reader.prepared(&server.app, asked.organization, asked.service, asked.set);
        let answer = match self
            .known(asked.authorization)
            .and_then(|reader| prepared(&reader))
        {
            Some(answer) => answer,
            None => prepared(&*self.recognise(server, &asked)?)?,
        };
        let mut response = resolve::answer(&answer, asked.held).ok()?;
        Observed::new(request).tag(&mut response);
        Some(response)
    }

    /// Returns whoever is known by what they sent last.
    fn known(&self, authorization: &HeaderValue) -> Option<Arc<Reader>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref()?;
        let is_same = known.authorization.as_bytes().ct_eq(authorization.as_bytes());
        bool::from(is_same).then(|| Arc::clone(&known.reader))
    }

    fn recognise(&self, server: &Server, asked: &Asked<'_>) -> Option<Arc<Reader>> {
        let token = asked.authorization.to_str().ok()?.strip_prefix("Bearer ")?;
        let reader = Arc::new(Reader::recognise(&server.app, asked.organization, token)?);
        let mut authorization = asked.authorization.clone();
        authorization.set_sensitive(true);
        let known = Known {
            authorization,
            reader: Arc::clone(&reader),
        };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Some(reader)
    }
}

impl<'r> Asked<'r> {
    fn of(request: &'r Request<impl Body>) -> Option<Self> {
        if request.method() != Method::GET
            || request.uri().query().is_some()
            || !request.body().is_end_stream()
        {
            return None;
        }
        let mut segments = request.uri().path().strip_prefix("/v1/")?.split('/');
        let organization = segments.next()?;
        let service = segments
            .next()
            .filter(|text| *text == "service")
            .and_then(|_| segments.next())?;
        let set = segments
            .next()
            .filter(|text| *text == "version_sets")
            .and_then(|_| segments.next())?;
        let is_whole = segments.next() == Some("resolve") && segments.next().is_none();
        let (authorization, held) = read_headers(request.headers())?;
        if !is_whole || head::fault(request).is_some() {
            return None;
        }
        Some(Self {
            organization,
            service: service.parse().ok()?,
            set,
            authorization,
            held,
        })
    }
}

/// Returns the credentials and the entity tags in the headers, or `None` if they say anything else, or anything twice.
fn read_headers(headers: &HeaderMap) -> Option<(&HeaderValue, Option<&str>)> {
    if headers.len() != headers.keys_len() {
        return None;
    }
    let (mut authorization, mut held, mut names_host) = (None, None, false);
    for (name, value) in headers {
        match *name {
            header::AUTHORIZATION => authorization = Some(value),
            header::IF_NONE_MATCH => held = Some(value.to_str().ok()?),
            header::HOST => names_host = true,
            _ if is_silent(name) => {}
            _ => return None,
        }
    }
    names_host.then_some((authorization?, held))
}

fn is_silent(name: &HeaderName) -> bool {
    SILENT.binary_search(&name.as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_can_be_looked_up() {
        assert!(SILENT.is_sorted());
    }

    #[test]
    fn a_request_that_is_not_plainly_usual_is_left_to_the_router() {
        const PATH: &str = "/v1/acme/service/0123456789abcdef01234567/version_sets/release/resolve";
        let request = |method: &str, path: &str, headers: &[(&str, &str)]| {
            let builder = Request::builder().method(method).uri(path).header("host", "h");
            let headers = headers.iter();
            let builder = headers.fold(builder, |builder, (name, value)| builder.header(*name, *value));
            builder.body(axum::body::Body::empty()).unwrap()
        };
        let token = ("authorization", "Bearer t");
        let usual = request(
            "GET",
            PATH,
            &[token, ("if-none-match", "\"1\""), ("accept", "*/*")],
        );
        let asked = Asked::of(&usual).unwrap();
        assert_eq!(
            (asked.organization, asked.set, asked.held),
            ("acme", "release", Some("\"1\""))
        );
        for unusual in [
            request("HEAD", PATH, &[token]),
            request("GET", PATH, &[]),
            request("GET", PATH, &[token, token]),
            request("GET", PATH, &[token, ("host", "h")]),
            request("GET", PATH, &[token, ("x-org-id", "acme")]),
            request("GET", PATH, &[token, ("forge-min-sequence", "1")]),
            request("GET", PATH, &[token, ("if-none-matches", "1")]),
            request("GET", PATH, &[token, ("content-length", "0")]),
            request("GET", &format!("{PATH}/"), &[token]),
            request("GET", &format!("{PATH}?at=2026-01-01T00:00:00Z"), &[token]),
            request("GET", &format!("{PATH}?"), &[token]),
            request("GET", &format!("http://h{PATH}/"), &[token]),
            request("GET", &PATH.replace("/v1/", "//v1/"), &[token]),
            request("GET", &PATH.replace("0123", "012A"), &[token]),
            request("GET", "/v1/acme/service/", &[token]),
        ] {
            assert!(Asked::of(&unusual).is_none(), "{unusual:?}");
        }
        let mut nowhere = usual;
        nowhere.headers_mut().remove("host");
        assert!(Asked::of(&nowhere).is_none());
    }
}
