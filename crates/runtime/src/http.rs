//! Connections to providers and tools.

use std::time::Duration;

/// Creates a client that follows no redirects: a key must not go where an answer points, and a tool's URL is the one
/// that the installation's operator wrote down.
pub(crate) fn client() -> Result<reqwest::Client, String> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true)
        .connect_timeout(Duration::from_secs(10))
        .user_agent(concat!("forge/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| error.to_string())
}
