//! Which requests are sent again, and what is told of those that fail.

use std::sync::Arc;

use forge_client::{ChangeOptions, Client, ClientError, Credentials, Effect, Options};
use forge_client::{Promote, PromotionOptions};
use forge_types::{ServiceId, SetName};

use crate::scripted::{Server, Step, answer, client, credentials, options, token};

fn service() -> ServiceId {
    "0123456789abcdef01234567".parse().unwrap()
}

fn promotion(dry_run: bool) -> Promote {
    Promote {
        source: "preview".into(),
        source_revision: None,
        freeze: true,
        options: PromotionOptions {
            dry_run,
            ..PromotionOptions::default()
        },
    }
}

const PROMOTED: &str = r#"{"applied": true, "revision": 7, "plan": {"action": "promote",
    "service_id": "0123456789abcdef01234567", "target": {"name": "release", "revision": 6}, "changes": [], "digest": "d"}}"#;

async fn delete(client: &Client) -> Result<(), ClientError> {
    let name: SetName = "test".parse().unwrap();
    client
        .delete_version_set(service(), &name, ChangeOptions::default())
        .await
        .map(|_| ())
}

#[tokio::test]
async fn reads_survive_trouble_with_the_network_and_pauses_of_the_server() {
    let server = Server::start(vec![
        token("t", 3600),
        Step::HangUp,
        Step::Answer(429, "Retry-After: 0\r\n", r#"{"detail": "slower"}"#.into()),
        answer(503, r#"{"detail": "the database is unavailable"}"#),
        answer(200, "1"),
    ]);
    assert_eq!(client(&server.address, 0, None).get("a").await.unwrap(), 1);
    assert_eq!(server.finish().len(), 5);
}

#[tokio::test]
async fn four_attempts_are_enough_for_a_read() {
    let server = Server::start(vec![
        token("t", 3600),
        Step::HangUp,
        Step::HangUp,
        Step::HangUp,
        Step::HangUp,
    ]);
    let error = client(&server.address, 0, None).get("a").await.unwrap_err();
    let expected = format!("no answer to GET {}/v1/acme/a in 4 attempts", server.address);
    assert_eq!(error.to_string(), expected);
    assert!(matches!(
        error,
        ClientError::Transport {
            effect: Effect::Reads,
            ..
        }
    ));
    server.finish();
}

#[tokio::test]
async fn a_promotion_is_repeated_under_one_key() {
    let server = Server::start(vec![token("t", 3600), Step::HangUp, answer(200, PROMOTED)]);
    let client = client(&server.address, 0, None);
    let done = client
        .promote(service(), &SetName::release(), &promotion(false), None)
        .await
        .unwrap();
    assert_eq!(done.value.revision, Some(7));
    let asked = server.finish();
    let key = asked[1].header("idempotency-key").unwrap();
    assert_eq!(key.len(), 32);
    assert_eq!(asked[2].header("idempotency-key"), Some(key));
    assert_eq!(asked[1].body, asked[2].body);
}

#[tokio::test]
async fn a_dry_run_is_repeated_and_needs_no_key() {
    let server = Server::start(vec![token("t", 3600), Step::HangUp, answer(200, PROMOTED)]);
    let client = client(&server.address, 0, None);
    client
        .promote(service(), &SetName::release(), &promotion(true), None)
        .await
        .unwrap();
    assert_eq!(server.finish()[2].header("idempotency-key"), None);
}

#[tokio::test]
async fn a_lost_answer_to_a_change_that_cannot_be_repeated_says_so() {
    let server = Server::start(vec![token("t", 3600), Step::HangUp]);
    let error = delete(&client(&server.address, 0, None)).await.unwrap_err();
    assert!(
        matches!(
            error,
            ClientError::Transport {
                effect: Effect::Unknown,
                attempts: 1,
                ..
            }
        ),
        "{error:?}"
    );
    server.finish();
    let server = Server::start(vec![
        token("t", 3600),
        answer(503, r#"{"detail": "look before you try again"}"#),
    ]);
    let error = delete(&client(&server.address, 0, None)).await.unwrap_err();
    assert!(
        matches!(
            error,
            ClientError::Busy {
                effect: Effect::Unknown,
                ..
            }
        ),
        "{error:?}"
    );
    server.finish();
}

#[tokio::test]
async fn a_change_that_was_put_off_is_repeated() {
    let limited = Step::Answer(429, "Retry-After: 0\r\n", r#"{"detail": "slower"}"#.into());
    let server = Server::start(vec![token("t", 3600), limited, answer(204, "")]);
    delete(&client(&server.address, 0, None)).await.unwrap();
    server.finish();
}

#[tokio::test]
async fn a_pause_beyond_patience_is_not_waited_for() {
    let limited = Step::Answer(429, "Retry-After: 3600\r\n", r#"{"detail": "slower"}"#.into());
    let server = Server::start(vec![token("t", 3600), limited]);
    let error = client(&server.address, 0, None).get("a").await.unwrap_err();
    assert!(
        matches!(
            error,
            ClientError::Busy {
                retry_after: Some(3600),
                attempts: 1,
                ..
            }
        ),
        "{error:?}"
    );
    server.finish();
}

#[tokio::test]
async fn nothing_was_changed_where_nobody_listens() {
    let address = Server::start(Vec::new()).address;
    let error = delete(&client(&address, 0, None)).await.unwrap_err();
    assert!(
        matches!(
            error,
            ClientError::Transport {
                effect: Effect::NotApplied,
                attempts: 4,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn refusals_bring_along_what_they_are_about() {
    let plan = PROMOTED
        .split_once(r#""plan": "#)
        .unwrap()
        .1
        .trim_end_matches('}')
        .to_owned()
        + "}";
    let blocked = format!(r#"{{"detail": "held", "plan": {plan}}}"#);
    let moved = format!(r#"{{"detail": "moved", "plans": [{plan}, {plan}], "digest": "d"}}"#);
    let server = Server::start(vec![
        token("t", 3600),
        answer(400, &blocked),
        answer(409, &moved),
        answer(
            422,
            r#"{"detail": [{"loc": ["body", "items", 0], "msg": "bad", "type": "t"}]}"#,
        ),
        answer(502, "<html>"),
        Step::Answer(500, "X-Request-Id: r1\r\n", r#"{"detail": "oh"}"#.into()),
    ]);
    let client = client(&server.address, 0, None);
    let mut errors = Vec::new();
    for _ in 0..5 {
        errors.push(client.get("a").await.unwrap_err());
    }
    server.finish();
    assert!(matches!(&errors[0], ClientError::Blocked { plans, .. } if plans[0].digest == "d"));
    assert!(matches!(&errors[1], ClientError::Conflict { plans, .. } if plans.len() == 2));
    assert!(matches!(&errors[2], ClientError::Invalid(faults) if faults[0].place == "body.items.0"));
    assert!(matches!(&errors[3], ClientError::Unexpected { status: 502, .. }));
    assert!(matches!(&errors[4], ClientError::Refused { request_id: Some(id), .. } if id == "r1"));
}

#[tokio::test]
async fn a_request_that_cannot_be_sent_is_not_sent_again() {
    let server = Server::start(Vec::new());
    let client = client_with(&server.address, "secret\nx").unwrap();
    let error = client.get("a").await.unwrap_err();
    assert!(matches!(error, ClientError::Unsendable { .. }), "{error}");
    let expected = format!(
        "POST {}/v1/acme/user/signin_with_api_key cannot be sent",
        server.address
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!(server.finish().len(), 0);
}

#[test]
fn an_address_is_one_before_anything_is_sent() {
    let refused = |address: &str| match client_with(address, "secret") {
        Err(error @ ClientError::BadAddress { .. }) => error.to_string(),
        Err(error) => panic!("{address}: {error}"),
        Ok(_) => panic!("{address} is taken"),
    };
    for (address, part) in [
        ("ftp://host", "`http://` or `https://`"),
        ("host:8787", "`http://` or `https://`"),
        ("http://host/?a=b", "no `?`"),
        ("http://host/#a", "no `?` and no `#`"),
        ("http://host:port", "port"),
        ("http://host/v1", "before `/v1`"),
        ("http://host/forge/v1/acme/", "before `/v1`"),
        ("http://user:secret@host", "user or a password"),
        ("http://user@host", "user or a password"),
        ("http://user:secret@host:x", "port"),
        ("", "relative URL"),
    ] {
        let text = refused(address);
        assert!(text.contains(part), "{address}: {text}");
        assert!(!text.contains("secret"), "{text}");
    }
    for address in [
        "http://host",
        "http://host/",
        "https://host:8443",
        "http://host/forge",
    ] {
        assert!(client_with(address, "secret").is_ok(), "{address}");
    }
}

fn client_with(address: &str, api_key: &str) -> Result<Client, ClientError> {
    let credentials = Credentials {
        base_url: address.to_owned(),
        api_key: api_key.to_owned(),
        ..credentials(address)
    };
    let options = Options {
        on_wait: Some(Arc::new(|waiting| panic!("{}", waiting.reason))),
        ..options(0, None)
    };
    Client::new(credentials, options)
}
