//! What the head of every request must be like, whatever it asks for.

use axum::http::{Request, Version, header};

use crate::caller::ISSUER;
use crate::serve::Peer;

/// The headers that say to whom a request goes and from whom it comes.
///
/// Two of a kind could be read in two ways, by a proxy in one and here in the other.
const SINGLE: [&str; 3] = ["host", "authorization", ISSUER];

/// The longest name of a host that there can be, with its port.
const MAX_HOST: usize = 253 + ":65535".len();

/// Returns why the head of a request cannot be taken: it can be understood in several ways, or names no host.
pub(crate) fn fault<B>(request: &Request<B>) -> Option<String> {
    let headers = request.headers();
    if let Some(name) = SINGLE
        .iter()
        .find(|name| headers.get_all(**name).iter().nth(1).is_some())
    {
        return Some(format!("the header `{name}` occurs more than once"));
    }
    if let Some(authority) = request.uri().authority() {
        // Whoever gives the whole address names the host twice, and a proxy may look at the other one.
        let named = authority.as_str();
        if !is_host(named) {
            return Some("the address of the request names no host, or a user before it".to_owned());
        }
        let scheme = request.uri().scheme_str().unwrap_or("http");
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        if host.is_some_and(|host| !is_same_host(host, named, scheme)) {
            return Some("the address of the request and the header `host` name different hosts".to_owned());
        }
    }
    let Some(host) = headers.get(header::HOST) else {
        // What is called without a connection, and HTTP before 1.1, need not name one.
        let is_required = request.version() == Version::HTTP_11
            && request.extensions().get::<Peer>().is_some()
            && request.uri().authority().is_none();
        return is_required.then(|| "the header `host` is required".to_owned());
    };
    let names_host = host.to_str().is_ok_and(is_host);
    (!names_host).then(|| "the header `host` names no host".to_owned())
}

/// Returns `true` if two names of hosts are the same, with or without the port that the scheme means anyway.
fn is_same_host(one: &str, other: &str, scheme: &str) -> bool {
    let port = if scheme.eq_ignore_ascii_case("https") {
        ":443"
    } else {
        ":80"
    };
    let bare = |host: &'_ str| host.strip_suffix(port).unwrap_or(host).to_ascii_lowercase();
    bare(one) == bare(other)
}

/// Returns `true` if a text is the name or the address of a host, perhaps with a port.
fn is_host(text: &str) -> bool {
    let is_port = |port: &str| port.parse::<u16>().is_ok() && port.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() > MAX_HOST {
        return false;
    }
    if let Some(rest) = text.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else {
            return false;
        };
        let is_address = address.parse::<std::net::Ipv6Addr>().is_ok();
        return is_address && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    }
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !name.is_empty() && name.bytes().all(in_name) && port.is_none_or(is_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_the_same_in_other_letters_and_with_the_port_of_its_scheme() {
        for (one, other, scheme, expected) in [
            ("a.example", "A.Example", "http", true),
            ("a.example:80", "a.example", "http", true),
            ("a.example", "a.example:443", "https", true),
            ("a.example:443", "a.example", "http", false),
            ("[::1]:80", "[::1]", "http", true),
            ("a.example", "b.example", "http", false),
        ] {
            assert_eq!(
                is_same_host(one, other, scheme),
                expected,
                "{one} {other} {scheme}"
            );
        }
    }

    #[test]
    fn names_and_addresses_are_hosts_and_what_would_change_a_link_is_none() {
        for host in [
            "forge.example.com",
            "localhost:8080",
            "127.0.0.1",
            "[::1]:80",
            "[::1]",
            "my_host",
            "a.",
        ] {
            assert!(is_host(host), "{host}");
        }
        for text in [
            "",
            "evil.com/x?",
            "a@b",
            "a b",
            "a#b",
            "[::1",
            "[zz]",
            "[::1]80",
            "a:",
            "a:b",
            "a:99999",
            "a:+1",
            ":80",
            &"a".repeat(300),
        ] {
            assert!(!is_host(text), "{text}");
        }
    }
}
