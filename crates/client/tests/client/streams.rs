//! Answers that are read while they come: changes, and exports of the audit log.

use forge_client::{Client, ClientError};
use forge_types::ServiceId;

use crate::scripted::{Asked, Server, Step, answer, client, token};

fn change(sequence: i64) -> String {
    format!(
        "id: {sequence}\nevent: change\ndata: {{\"sequence\":{sequence},\"created_at\":\"2026-11-23T12:00:00.000Z\",\
         \"events\":[{{\"action\":\"promote\",\"object\":{{\"kind\":\"version_set\",\"id\":\"a/release\"}},\
         \"actor\":{{\"org_id\":\"acme\",\"user_id\":\"u\",\"kind\":\"key\"}},\"later\":1}}]}}\n\n"
    )
}

const END: &str = "event: end\ndata: {\"reason\": \"the server stops; connect again\"}\n\n";

/// Returns the numbers of so many changes.
async fn changes(client: &Client, after: Option<i64>, count: usize) -> Vec<i64> {
    let mut watch = client.watch(Vec::new(), after);
    let mut told = Vec::new();
    while told.len() < count {
        told.push(watch.next().await.unwrap().value.sequence);
    }
    told
}

fn ids(asked: &[Asked]) -> Vec<Option<&str>> {
    let watched = asked.iter().filter(|asked| asked.line.contains("/watch"));
    watched.map(|asked| asked.header("last-event-id")).collect()
}

#[tokio::test]
async fn no_change_is_missed_or_told_twice_whatever_happens_to_the_connection() {
    let unfinished = &change(20)[..40];
    let server = Server::start(vec![
        token("t", 3600),
        Step::Cut(format!(": connected\nid: 17\n\n{}{unfinished}", change(18))),
        // A server that begins a little before.
        answer(200, &format!("{}{}{END}", change(18), change(19))),
        Step::HangUp,
        answer(503, r#"{"detail": "the database is away"}"#),
        answer(502, "<html>a proxy's</html>"),
        answer(200, &format!(": connected\n\n{}", change(20))),
        answer(200, &format!(": up to date\nid: 25\n\n{END}")),
        answer(200, &change(26)),
    ]);
    let client = client(&server.address, 0, None);
    assert_eq!(changes(&client, None, 4).await, [18, 19, 20, 26]);
    let asked = server.finish();
    let expected = [
        None,
        Some("18"),
        Some("19"),
        Some("19"),
        Some("19"),
        Some("19"),
        Some("20"),
        Some("25"),
    ];
    assert_eq!(ids(&asked), expected);
}

#[tokio::test]
async fn what_was_connected_before_anything_happened_is_gone_on_with() {
    let server = Server::start(vec![
        token("t", 3600),
        Step::Cut(": connected\nid: 17\n\n".to_owned()),
        answer(200, &change(18)),
    ]);
    assert_eq!(changes(&client(&server.address, 0, None), None, 1).await, [18]);
    assert_eq!(ids(&server.finish()), [None, Some("17")]);
}

#[tokio::test]
async fn a_stream_goes_on_with_a_new_token() {
    let server = Server::start(vec![
        token("old", 3600),
        answer(200, &format!("{}{END}", change(1))),
        answer(401, r#"{"detail": "the token has ended"}"#),
        token("new", 3600),
        answer(200, &change(2)),
    ]);
    assert_eq!(
        changes(&client(&server.address, 0, None), Some(0), 2).await,
        [1, 2]
    );
    let asked = server.finish();
    assert_eq!(asked[4].header("authorization"), Some("Bearer new"));
    assert_eq!(ids(&asked), [Some("0"), Some("1"), Some("1")]);
}

#[tokio::test]
async fn a_refusal_ends_it_and_so_does_a_server_that_was_never_there() {
    let services: [ServiceId; 2] = ["1".repeat(24), "2".repeat(24)].map(|id| id.parse().unwrap());
    let server = Server::start(vec![
        token("t", 3600),
        answer(200, &format!("{}{END}", change(1))),
        answer(403, r#"{"detail": "no permission"}"#),
    ]);
    let forge = client(&server.address, 0, None);
    let mut watch = forge.watch(services.to_vec(), None);
    let told = watch.next().await.unwrap();
    assert_eq!(told.value.events[0].object.id, "a/release");
    assert!(
        told.json.get().contains("later"),
        "the message is kept as it was sent"
    );
    assert!(matches!(
        watch.next().await.unwrap_err(),
        ClientError::Forbidden(_)
    ));
    let asked = server.finish();
    let query = format!("?service_id={}&service_id={}", services[0], services[1]);
    assert_eq!(asked[1].line, format!("GET /v1/acme/watch{query}"));

    let server = Server::start(vec![
        token("t", 3600),
        Step::HangUp,
        Step::HangUp,
        Step::HangUp,
        Step::HangUp,
    ]);
    let forge = client(&server.address, 0, None);
    let error = forge.watch(Vec::new(), None).next().await.unwrap_err();
    assert!(
        matches!(error, ClientError::Transport { attempts: 4, .. }),
        "{error}"
    );
    server.finish();
}

#[tokio::test]
async fn a_message_that_cannot_be_understood_is_an_error() {
    let server = Server::start(vec![
        token("t", 3600),
        answer(
            200,
            "id: 1\nevent: news\ndata: x\n\nid: 2\nevent: change\ndata: x\n\n",
        ),
    ]);
    let forge = client(&server.address, 0, None);
    let error = forge.watch(Vec::new(), None).next().await.unwrap_err();
    assert!(matches!(error, ClientError::Unexpected { .. }), "{error}");
    server.finish();
}

const EVENTS: &str = "{\"sequence\": 3, \"hash\": \"a\"}\n{\"sequence\": 4, \"hash\": \"b\"}\n";
const CHECKPOINT: &str = "{\"checkpoint\": {\"sequence\": 4}}\n";

/// Returns what came of an export, and whether it is complete.
async fn export(step: Step) -> (String, Option<i64>, bool, Option<ClientError>) {
    let server = Server::start(vec![token("t", 3600), step]);
    let forge = client(&server.address, 0, None);
    let mut export = forge.export_audit_log(Some(2)).await.unwrap();
    let mut text = Vec::new();
    let error = loop {
        match export.next().await {
            Ok(Some(bytes)) => text.extend(bytes),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    let asked = server.finish();
    assert_eq!(asked[1].line, "GET /v1/acme/audit_event/export?after_sequence=2");
    let text = String::from_utf8(text).unwrap();
    (text, export.last_sequence(), export.is_complete(), error)
}

#[tokio::test]
async fn an_export_is_complete_with_its_checkpoint_only() {
    let whole = format!("{EVENTS}{CHECKPOINT}");
    let (text, last, is_complete, error) = export(answer(200, &whole)).await;
    assert_eq!((text, last, is_complete), (whole.clone(), Some(4), true));
    assert!(error.is_none());
    let (text, last, is_complete, _) = export(answer(200, EVENTS)).await;
    assert_eq!((text.as_str(), last, is_complete), (EVENTS, Some(4), false));
    let (.., is_complete, _) = export(answer(200, whole.trim_end())).await;
    assert!(!is_complete, "the end of the last line is part of it");
    let (.., is_complete, _) = export(answer(200, &format!("{CHECKPOINT}{EVENTS}"))).await;
    assert!(!is_complete, "a checkpoint is the last line");
    let (_, last, is_complete, error) = export(Step::Cut(EVENTS.to_owned())).await;
    assert_eq!((last, is_complete), (Some(4), false));
    assert!(matches!(error, Some(ClientError::BrokenOff { .. })), "{error:?}");
    let (.., error) = export(answer(200, "<html>\n")).await;
    assert!(matches!(error, Some(ClientError::Unexpected { .. })), "{error:?}");
}
