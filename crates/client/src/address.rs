//! The address of a server, as it is used.

use url::Url;

use crate::ClientError;

/// Returns the address of a server as it is used, without a `/` at its end: what is shown is what is called.
///
/// What is in it beside scheme, host, port and path would not be used, or not as it is meant.
pub(crate) fn used(typed: &str) -> Result<Url, ClientError> {
    let bad = |address: &str, reason: &str| ClientError::BadAddress {
        address: address.to_owned(),
        reason: reason.to_owned(),
    };
    let mut url = match Url::parse(typed) {
        Ok(url) => url,
        // What cannot be read may have a password in it.
        Err(error) if typed.contains('@') => return Err(bad("…", &error.to_string())),
        Err(error) => return Err(bad(typed, &error.to_string())),
    };
    if !url.username().is_empty() || url.password().is_some() {
        // Neither can fail, as there is a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        return Err(bad(
            url.as_str(),
            "it had a user or a password in it, and is given without; users sign in with an API key",
        ));
    }
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(bad(typed, "it begins with `http://` or `https://` and a host"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad(typed, "it has no `?` and no `#`"));
    }
    let segments: Vec<&str> = url.path_segments().into_iter().flatten().collect();
    let is_version = |segment: &&str| segment.eq_ignore_ascii_case("v1");
    if let Some(version) = segments.iter().position(is_version) {
        let mut before = url.clone();
        before.set_path(&segments[..version].join("/"));
        let before = text(&before);
        return Err(bad(
            typed,
            &format!("it ends before `/v1`, which is added: is it `{before}`?"),
        ));
    }
    Ok(url)
}

/// Returns an address as it is shown, and as paths are put behind it.
pub(crate) fn text(address: &Url) -> String {
    address.as_str().trim_end_matches('/').to_owned()
}

/// Returns the address of an organization on a server, such as `http://host/v1/organization`.
pub(crate) fn of_organization(server: &Url, id: &str) -> Url {
    let mut address = server.clone();
    address.set_path(server.path().trim_end_matches('/'));
    extend(&mut address, ["v1", id]);
    address
}

/// Adds segments to the path of an address, each of them escaped.
pub(crate) fn extend<'s>(address: &mut Url, segments: impl IntoIterator<Item = &'s str>) {
    // There is a path, as there is a host.
    if let Ok(mut path) = address.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_as_it_is_used() {
        for (typed, shown) in [
            ("http://host", "http://host"),
            ("HTTPS://Forge.Example.COM:443/", "https://forge.example.com"),
            ("http://host/a/../b//", "http://host/b"),
            ("http://0x7f.1:8787", "http://127.0.0.1:8787"),
            ("http:\\\\host\\a", "http://host/a"),
            ("https://ex\u{e4}mple.com", "https://xn--exmple-cua.com"),
        ] {
            assert_eq!(text(&used(typed).unwrap()), shown, "{typed}");
        }
    }

    #[test]
    fn an_address_ends_before_the_version_of_the_api() {
        for typed in [
            "http://host/api/v1",
            "http://host/api/V1/",
            "http://host/api/v1/acme",
        ] {
            let told = used(typed).unwrap_err().to_string();
            assert!(
                told.ends_with("which is added: is it `http://host/api`?"),
                "{told}"
            );
            assert!(told.starts_with(&format!("`{typed}` is no address")), "{told}");
        }
    }

    #[test]
    fn what_is_in_a_segment_stays_in_it() {
        let organization = of_organization(&used("http://host/a//").unwrap(), "a/b");
        assert_eq!(organization.as_str(), "http://host/a/v1/a%2Fb");
        let mut address = organization;
        extend(&mut address, ["agent", "é ?#%", ""]);
        assert_eq!(
            address.as_str(),
            "http://host/a/v1/a%2Fb/agent/%C3%A9%20%3F%23%25/"
        );
    }
}
