//! Signing in, and how long a token is used.

use forge_client::{ClientError, TokenCache};

use crate::scripted::{Server, answer, client, credentials, token};

fn bearers(asked: &[crate::scripted::Asked]) -> Vec<&str> {
    asked
        .iter()
        .map(|asked| {
            asked
                .header("authorization")
                .map_or("sign-in", |bearer| bearer.trim_start_matches("Bearer "))
        })
        .collect()
}

#[tokio::test]
async fn one_token_serves_many_requests_and_later_commands() {
    let folder = tempfile::tempdir().unwrap();
    let cache = TokenCache::new(folder.path().to_owned());
    let server = Server::start(vec![
        token("t", 3600),
        answer(200, "1"),
        answer(200, "2"),
        answer(200, "3"),
    ]);
    let first = client(&server.address, 0, Some(cache.clone()));
    assert_eq!(first.get("a").await.unwrap(), 1);
    assert_eq!(first.get("b").await.unwrap(), 2);
    let later = client(&server.address, 3299, Some(cache.clone()));
    assert_eq!(later.get("c").await.unwrap(), 3);
    assert!(cache.expires_at(&credentials(&server.address)).is_some());
    let asked = server.finish();
    assert_eq!(bearers(&asked), ["sign-in", "t", "t", "t"]);
    assert_eq!(asked[0].line, "POST /v1/acme/user/signin_with_api_key");
    for (name, value) in [("x-api-key", "secret"), ("x-api-key-id", "k"), ("x-user-id", "u")] {
        assert_eq!(asked[0].header(name), Some(value));
    }
}

#[tokio::test]
async fn a_token_is_replaced_when_it_has_less_than_five_minutes_left() {
    let folder = tempfile::tempdir().unwrap();
    let cache = TokenCache::new(folder.path().to_owned());
    let server = Server::start(vec![
        token("old", 3600),
        answer(200, "1"),
        token("new", 7200),
        answer(200, "2"),
    ]);
    client(&server.address, 0, Some(cache.clone()))
        .get("a")
        .await
        .unwrap();
    client(&server.address, 3301, Some(cache)).get("a").await.unwrap();
    assert_eq!(bearers(&server.finish()), ["sign-in", "old", "sign-in", "new"]);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let refusal = r#"{"detail": "the token has ended"}"#;
    let server = Server::start(vec![
        token("old", 3600),
        answer(200, "1"),
        answer(401, refusal),
        token("new", 3600),
        answer(401, refusal),
    ]);
    let client = client(&server.address, 0, None);
    client.get("a").await.unwrap();
    let error = client.get("a").await.unwrap_err();
    assert!(matches!(error, ClientError::NotSignedIn(detail) if detail == "the token has ended"));
    assert_eq!(
        bearers(&server.finish()),
        ["sign-in", "old", "old", "sign-in", "new"]
    );
}

#[tokio::test]
async fn a_refused_key_is_not_tried_again() {
    let server = Server::start(vec![answer(401, r#"{"detail": "wrong key"}"#)]);
    let error = client(&server.address, 0, None).get("a").await.unwrap_err();
    assert!(matches!(error, ClientError::NotSignedIn(detail) if detail == "wrong key"));
    assert_eq!(server.finish().len(), 1);
}
