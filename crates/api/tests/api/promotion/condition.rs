//! Conditions on what is there when a change takes place.

use axum::http::Method;
use forge_testkit::{both_engines, version_set};
use serde_json::{Value, json};

use crate::support::releases::Release;

#[both_engines]
async fn conditions_on_the_revision_hold_for_every_way_of_writing(server: TestServer) {
    let release = Release::new(&server, 3).await;
    release.put("preview", version_set(2, 1)).await;
    let (set, promote) = (
        release.set("preview"),
        format!("{}/release/promote", release.sets()),
    );
    let pins = json!({"version_set": version_set(3, 1)});
    let body = json!({"source": "preview"});
    let send = async |method: Method, path: &str, header: (&str, &str), body: Value| {
        release.send(method, path, &[header], body).await.status.as_u16()
    };
    let etag = release.client.get(&set).await.headers["etag"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(etag, "\"1\"");
    assert_eq!(
        send(Method::PUT, &set, ("If-None-Match", "*"), pins.clone()).await,
        412
    );
    assert_eq!(
        send(Method::PUT, &set, ("If-Match", "\"7\""), pins.clone()).await,
        412
    );
    assert_eq!(
        send(Method::PUT, &release.set("new"), ("If-Match", "*"), pins.clone()).await,
        412
    );
    assert_eq!(
        send(Method::PUT, &set, ("If-Match", &etag), pins.clone()).await,
        204
    );
    assert_eq!(
        send(Method::PUT, &release.set("new"), ("If-None-Match", "*"), pins).await,
        204
    );
    assert_eq!(
        send(Method::POST, &promote, ("If-Match", "\"2\", \"3\""), body.clone()).await,
        412
    );
    assert_eq!(
        send(Method::POST, &promote, ("If-Match", "\"2\", \"1\""), body.clone()).await,
        200
    );
    let rollback = format!("{}/release/rollback", release.sets());
    assert_eq!(
        send(Method::POST, &rollback, ("If-Match", "\"1\""), json!({})).await,
        412
    );
    assert_eq!(
        send(Method::DELETE, &set, ("If-Match", "\"1\""), Value::Null).await,
        412
    );
    for header in [("If-Match", "x"), ("If-Match", ""), ("If-None-Match", "\"1\"")] {
        assert_eq!(
            send(Method::POST, &promote, header, body.clone()).await,
            422,
            "{header:?}"
        );
    }
    assert_eq!(
        send(Method::DELETE, &set, ("If-Match", "\"2\""), Value::Null).await,
        204
    );
}
