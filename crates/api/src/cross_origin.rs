//! Which pages of other origins may call the API from a browser.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// Returns what lets pages of these origins call the API from a browser, or `None` if there are none.
pub(crate) fn cross_origin(origins: &[String]) -> Option<CorsLayer> {
    const DAY: Duration = Duration::from_hours(24);
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(
            origins
                .iter()
                .filter_map(|origin| HeaderValue::from_str(origin).ok()),
        ))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        // Whatever headers a page sends, the token decides; it is in a header that no browser adds by itself.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(EXPOSED.map(HeaderName::from_static))
        .max_age(DAY);
    (!origins.is_empty()).then_some(layer)
}

/// The headers of answers that pages of other origins may read.
const EXPOSED: [&str; 9] = [
    "etag",
    "forge-sequence",
    "retry-after",
    "warning",
    "www-authenticate",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
];
