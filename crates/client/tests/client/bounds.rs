//! Servers that do not stop.

use std::time::Duration;

use forge_client::audit::AuditFilter;
use forge_client::{Bounds, Client, ClientError, Credentials, Effect, Options, TokenCache};

use crate::scripted::{Server, Step, answer, bounded, client, credentials, options, token};

/// Bounds for answers that fit in a test.
fn small() -> Bounds {
    Bounds {
        answer: 200,
        refusal: 100,
        list: 1000,
        empty_pages: 2,
        line: 50,
        request: Duration::from_millis(50),
        silence: Duration::from_millis(50),
    }
}

fn unhurried() -> Bounds {
    let Bounds { request, silence, .. } = Bounds::default();
    Bounds {
        request,
        silence,
        ..small()
    }
}

fn text(length: usize) -> String {
    format!("\"{}\"", "x".repeat(length - 2))
}

#[tokio::test]
async fn no_more_is_read_of_an_answer_than_it_may_have() {
    let refusal = |length: usize| format!(r#"{{"detail":{}}}"#, text(length - 11));
    let server = Server::start(vec![
        token("t", 3600),
        answer(200, &text(200)),
        answer(200, &text(201)),
        answer(404, &refusal(100)),
        answer(404, &refusal(101)),
        answer(200, &text(201)),
    ]);
    let client = bounded(&server.address, unhurried());
    assert!(client.get("a").await.is_ok());
    let error = client.get("a").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "GET {}/v1/acme/a was answered with 200 and more than 200 bytes, the rest of which was not read",
            server.address
        )
    );
    assert!(matches!(
        client.get("a").await.unwrap_err(),
        ClientError::NotFound(_)
    ));
    let error = client.get("a").await.unwrap_err();
    assert!(
        matches!(
            error,
            ClientError::TooLong {
                status: 404,
                longest: 100,
                effect: Effect::Reads,
                ..
            }
        ),
        "{error}"
    );
    // It may have been done, and is not done again.
    let error = client.post("a", &1.into()).await.unwrap_err();
    assert!(
        matches!(
            error,
            ClientError::TooLong {
                effect: Effect::Unknown,
                ..
            }
        ),
        "{error}"
    );
    server.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_come_to_an_end_is_given_up() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    let server = Server::start(vec![
        token("t", 3600),
        Step::Stall(""),
        Step::Stall(HEAD),
        Step::Stall(""),
        Step::Stall("HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n"),
        Step::Stall(HEAD),
    ]);
    // Signing in may take its time.
    let folder = tempfile::tempdir().unwrap();
    let cache = TokenCache::new(folder.path().to_owned());
    let patient = client(&server.address, 0, Some(cache.clone()));
    patient.sign_in().await.unwrap();
    let options = Options {
        bounds: small(),
        ..options(0, Some(cache))
    };
    let client = Client::new(credentials(&server.address), options).unwrap();
    for _ in 0..2 {
        let error = client.post("a", &1.into()).await.unwrap_err();
        let ClientError::Transport { source, .. } = error else {
            panic!("{error}")
        };
        assert!(source.is_timeout(), "{source:?}");
    }
    for _ in 0..2 {
        let error = client.export_audit_log(None).await.map(drop).unwrap_err();
        assert!(matches!(error, ClientError::Silent { .. }), "{error}");
    }
    let mut export = client.export_audit_log(None).await.unwrap();
    let error = export.next().await.unwrap_err();
    assert!(matches!(error, ClientError::Silent { .. }), "{error}");
    drop(export);
    server.finish();
}

fn page(rows: usize, token: &str) -> String {
    let row = |number| {
        format!(
            r#"{{"sequence":{number},"change_number":1,"created_at":"t","actor":{{"org_id":"a","user_id":"u"}},"action":"a","object":{{"kind":"k","id":"i"}}}}"#
        )
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!(
        r#"{{"audit_events":[{}],"has_more":true,"continuation_token":{token}}}"#,
        rows.join(",")
    )
}

/// Returns why a list of these pages does not end.
async fn endless(bounds: Bounds, pages: &[String]) -> String {
    let mut script = vec![token("t", 3600)];
    script.extend(pages.iter().map(|page| answer(200, page)));
    let server = Server::start(script);
    let client = bounded(&server.address, bounds);
    let error = client
        .audit_events(&AuditFilter::default())
        .all()
        .await
        .unwrap_err();
    server.finish();
    match error {
        ClientError::Endless { why, .. } => why,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_list_that_does_not_end_is_given_up() {
    let bounds = Bounds {
        answer: 10_000,
        ..unhurried()
    };
    let again = [page(1, "7"), page(1, "8"), page(1, "7"), page(1, "8")];
    assert_eq!(
        endless(bounds, &again[..3]).await,
        "it goes on at 7, where it was before"
    );
    assert_eq!(
        endless(bounds, &[page(1, "0")]).await,
        "it goes on at 0, where it was before"
    );
    let empty = [
        page(0, "1"),
        page(1, "2"),
        page(0, "3"),
        page(0, "4"),
        page(0, "5"),
    ];
    assert_eq!(
        endless(bounds, &empty).await,
        "3 pages without a row came one after the other"
    );
    assert_eq!(
        endless(bounds, &[page(50, "1")]).await,
        "it has more than 1000 bytes"
    );
}

#[tokio::test]
async fn a_line_of_an_export_ends() {
    let line = |length: usize| format!("{{\"sequence\":1{}}}\n", " ".repeat(length - 15));
    let server = Server::start(vec![
        token("t", 3600),
        answer(200, &line(50)),
        answer(200, &format!("{}{}", line(50), line(52).trim_end())),
    ]);
    let client = bounded(&server.address, unhurried());
    let mut export = client.export_audit_log(None).await.unwrap();
    while export.next().await.unwrap().is_some() {}
    assert_eq!(export.last_sequence(), Some(1));
    let mut export = client.export_audit_log(None).await.unwrap();
    let error = loop {
        match export.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the line was taken"),
            Err(error) => break error,
        }
    };
    let ClientError::Unexpected { source, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(source.to_string(), "a line is too long");
    server.finish();
}

#[tokio::test]
async fn no_error_has_a_secret_in_it() {
    const KEY: &str = "the-key-of-the-user";
    const TOKEN: &str = "the-token-of-the-user";
    let echo = format!(r#"{{"detail": "{KEY} {TOKEN}"}}"#);
    let faults = format!(r#"{{"detail": [{{"loc": ["{KEY}"], "msg": "{TOKEN}"}}]}}"#);
    let header = "X-Request-Id: the-key-of-the-user\r\n";
    let mut script = vec![token(TOKEN, 3600)];
    let statuses = [400, 403, 404, 409, 412];
    script.extend(statuses.map(|status| answer(status, &echo)));
    script.extend([
        answer(422, &faults),
        Step::Answer(500, header, echo.clone()),
        Step::Answer(429, "Retry-After: 3600\r\n", echo.clone()),
        answer(200, &format!("\"{KEY} {TOKEN}\"")),
        answer(200, &format!("{{\"audit_events\": [\"{KEY} {TOKEN}\"]}}")),
        answer(401, &echo),
        answer(401, &echo),
    ]);
    let server = Server::start(script);
    let credentials = Credentials {
        api_key: KEY.to_owned(),
        ..credentials(&server.address)
    };
    let client = Client::new(credentials, options(0, None)).unwrap();
    let service = "0123456789abcdef01234567".parse().unwrap();
    let mut errors = Vec::new();
    for _ in 0..statuses.len() + 3 {
        errors.push(client.get("a").await.unwrap_err());
    }
    errors.push(client.version_sets(service).await.unwrap_err());
    errors.push(
        client
            .audit_events(&AuditFilter::default())
            .all()
            .await
            .unwrap_err(),
    );
    errors.push(client.get("a").await.unwrap_err());
    server.finish();
    for error in errors {
        let told = format!("{error} {error:?}");
        assert!(!told.contains(KEY) && !told.contains(TOKEN), "{told}");
        assert!(told.contains("[API key]"), "{told}");
    }
}
