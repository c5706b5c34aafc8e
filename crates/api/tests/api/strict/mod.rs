//! What somebody asked for not to happen does not happen, wherever and however they wrote it.

mod dry_run;
mod headers;
mod terms;
mod values;

use axum::http::Method;
use forge_testkit::{TestResponse, version_set};
use serde_json::{Value, json};

use crate::support::releases::Release;

async fn put(release: &Release, set: &str, pins: &Value) -> TestResponse {
    release
        .client
        .put(&release.set(set), json!({"version_set": pins}))
        .await
}

async fn with_header(release: &Release, method: Method, path: &str, header: (&str, &str)) -> TestResponse {
    let body = match method {
        Method::PUT => json!({"version_set": version_set(2, 2)}),
        Method::POST if path.ends_with("promote") => json!({"source": "preview"}),
        Method::POST => json!({}),
        _ => Value::Null,
    };
    release.send(method, path, &[header], body).await
}
