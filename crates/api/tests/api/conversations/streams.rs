//! Streams as they come, and what happens where they do not end well.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use forge_api::Limits;
use forge_testkit::{Engine, TestClient, TestServer, both_engines, limits};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{create, finish, interact, listed, say, transcript};

/// How long something may take that has to happen.
const SOON: Duration = Duration::from_secs(20);

/// A script in which the agent takes a minute if somebody says `slow`, cannot speak if somebody says `break`, and so
/// on.
fn rules() -> Value {
    json!([
        {"interaction": "engage-user", "contains": "slow", "delay_ms": 60_000, "answer": "Late."},
        {"interaction": "engage-user", "contains": "break", "fail": "the line is dead"},
        {"interaction": "engage-user", "contains": "dose", "cut_off": "Take two tablets of"},
        {"interaction": "engage-user", "contains": "forbidden", "refuse": "the provider's filter of contents stopped the prompt"},
        {"interaction": "engage-user", "contains": "think", "answer": "<think>secret plan </think>\n\nHi, \u{0}I \u{1b}[31mthink."},
    ])
}

/// An interaction whose stream is read event by event.
struct Stream {
    body: Body,
    unread: String,
}

impl Stream {
    async fn of(client: &TestClient, request: Request<Body>) -> Self {
        let response = client.router.clone().oneshot(request).await.unwrap();
        assert!(response.status().is_success(), "{}", response.status());
        assert_eq!(response.headers()["content-type"], "application/x-ndjson");
        Self {
            body: response.into_body(),
            unread: String::new(),
        }
    }

    /// Says something without waiting for the answer.
    async fn saying(client: &TestClient, conversation: &str, text: &str) -> Self {
        let fields = [
            ("initial_message_type", "user-message"),
            ("recorded_message", text),
        ];
        let (content_type, body) = forge_testkit::form(&fields);
        let uri = format!("/v1/{}/{}", client.organization, interact(conversation));
        let request = request(client, &uri, &content_type, body);
        Self::of(client, request).await
    }

    async fn creating(client: &TestClient, body: Value) -> Self {
        let uri = format!("/v1/{}/conversation/?response_format=text", client.organization);
        let request = request(client, &uri, "application/json", body.to_string().into_bytes());
        Self::of(client, request).await
    }

    /// Returns the next event; nothing at the end.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((line, rest)) = self.unread.split_once('\n') {
                let event = serde_json::from_str(line).unwrap();
                let rest = rest.to_owned();
                self.unread = rest;
                return Some(event);
            }
            let frame = tokio::time::timeout(SOON, self.body.frame()).await.unwrap()?;
            let data = frame.unwrap().into_data().unwrap();
            self.unread.push_str(std::str::from_utf8(&data).unwrap());
        }
    }
}

fn request(client: &TestClient, uri: &str, content_type: &str, body: Vec<u8>) -> Request<Body> {
    Request::post(uri)
        .header(
            header::AUTHORIZATION,
            format!("Bearer {}", client.token.as_deref().unwrap()),
        )
        .header(header::CONTENT_TYPE, content_type)
        .body(Body::from(body))
        .unwrap()
}

/// Asks again until the conversation is free.
async fn say_once_free(client: &TestClient, conversation: &str, text: &str) -> super::Told {
    let deadline = std::time::Instant::now() + SOON;
    loop {
        let told = say(client, conversation, text).await;
        if told.status != 409 {
            return told;
        }
        assert!(std::time::Instant::now() < deadline, "{}", told.body);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn slow_server(engine: Engine) -> (TestServer, String) {
    let server = TestServer::scripted(engine, rules()).await;
    let service = server.service(1).await;
    (server, service)
}

#[both_engines]
async fn events_are_told_as_they_come_and_the_conversation_is_busy_meanwhile(plain: TestServer) {
    let (server, service) = slow_server(plain.engine).await;
    let admin = server.admin();
    let id = create(admin, &service, json!({})).await.conversation();
    let mut stream = Stream::saying(admin, &id, "slow").await;
    let available = stream.next().await.unwrap();
    assert_eq!(
        (&available["type"], &available["user_message"]),
        (&json!("user-message-available"), &json!("slow"))
    );
    let action = stream.next().await.unwrap();
    assert_eq!(
        action["type"], "current-agent-action",
        "long before the agent has answered"
    );
    assert_eq!(say(admin, &id, "Hello").await.status, 409);
    assert_eq!(finish(admin, &id).await.status, 409);
    assert_eq!(admin.delete(&format!("conversation/{id}/")).await.status, 409);
    assert_eq!(
        transcript(admin, &id).await.len(),
        1,
        "nothing is kept before the end"
    );
    drop(stream);
    assert_eq!(say_once_free(admin, &id, "Hello").await.status, 200);
    let said = transcript(admin, &id).await;
    assert_eq!(
        said.len(),
        3,
        "nothing of the abandoned interaction was kept: {said:?}"
    );
    assert_eq!(said[1], "user-message: Hello");
}

#[both_engines]
async fn whoever_does_not_read_is_cut_off_and_nothing_is_kept(server: TestServer) {
    let (admin, service) = (server.admin(), server.service(1).await);
    let id = create(admin, &service, json!({})).await.conversation();
    let limits = Limits {
        write_timeout: Duration::from_millis(50),
        ..limits()
    };
    let impatient = TestClient {
        router: server.router_with(limits),
        ..admin.clone()
    };
    // Each word of the answer is an event of its own, and only few of them wait for the reader.
    let mut stream = Stream::saying(&impatient, &id, &"word ".repeat(200)).await;
    assert_eq!(say_once_free(admin, &id, "Hello").await.status, 200);
    assert_eq!(transcript(admin, &id).await.len(), 3);
    let mut told = 0;
    while let Some(event) = stream.next().await {
        assert_ne!(event["type"], "interaction-complete");
        told += 1;
    }
    assert!(told < 100, "{told}");
}

#[both_engines]
async fn whoever_goes_away_from_a_first_interaction_leaves_no_conversation(plain: TestServer) {
    let (server, service) = slow_server(plain.engine).await;
    let admin = server.admin();
    let mut stream = Stream::creating(admin, json!({"service_id": service, "initial_message": "slow"})).await;
    let created = stream.next().await.unwrap();
    let id = created["conversation_id"].as_str().unwrap().to_owned();
    assert_eq!(
        create(admin, &service, json!({})).await.status,
        409,
        "it is being started"
    );
    drop(stream);
    let deadline = std::time::Instant::now() + SOON;
    while listed(admin, &id).await.is_some() {
        assert!(std::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(create(admin, &service, json!({})).await.status, 201);
}

#[both_engines]
async fn an_interaction_that_fails_leaves_the_conversation_as_it_was(plain: TestServer) {
    let (server, service) = slow_server(plain.engine).await;
    let admin = server.admin();
    let id = create(admin, &service, json!({})).await.conversation();
    let before = (transcript(admin, &id).await, listed(admin, &id).await);
    let failed = say(admin, &id, "break").await;
    assert_eq!(failed.status, 200, "the stream had begun");
    let error = failed.events("error")[0];
    assert_eq!(failed.types().last(), Some(&"error"));
    assert_eq!(error["http_error_code"], 503);
    let text = error["error_description"].as_str().unwrap();
    assert!(text.contains("engage-user"), "{text}");
    assert_eq!(failed.events("interaction-complete").len(), 0);
    assert_eq!((transcript(admin, &id).await, listed(admin, &id).await), before);
    assert_eq!(say(admin, &id, "Hello").await.status, 200, "at once");
}

#[both_engines]
async fn of_an_answer_that_is_cut_off_or_refused_nothing_is_left(plain: TestServer) {
    let (server, service) = slow_server(plain.engine).await;
    let admin = server.admin();
    let id = create(admin, &service, json!({})).await.conversation();
    let before = (transcript(admin, &id).await, listed(admin, &id).await);
    for (text, reason) in [
        ("Which dose?", "cut the answer off"),
        ("Say what is forbidden.", "filter of contents"),
    ] {
        let failed = say(admin, &id, text).await;
        let told = failed.types();
        assert_eq!(
            (told.last(), failed.events("interaction-complete").len()),
            (Some(&"error"), 0)
        );
        let error = failed.events("error")[0];
        assert_eq!(error["http_error_code"], 400, "the same again would end the same");
        let description = error["error_description"].as_str().unwrap();
        assert!(
            description.contains(reason) && description.contains("engage-user"),
            "{description}"
        );
        assert_eq!((transcript(admin, &id).await, listed(admin, &id).await), before);
    }
    assert_eq!(finish(admin, &id).await.status, 204);
    let failed = create(admin, &service, json!({"initial_message": "Which dose?"})).await;
    assert_eq!(failed.events("error")[0]["http_error_code"], 400);
    assert_eq!(listed(admin, &failed.conversation()).await, None);
}

#[both_engines]
async fn what_a_model_thinks_is_neither_told_nor_kept(plain: TestServer) {
    let (server, service) = slow_server(plain.engine).await;
    let admin = server.admin();
    let id = create(admin, &service, json!({})).await.conversation();
    let told = say(admin, &id, "What do you think?").await;
    let pieces: Vec<&str> = told
        .events("new-message")
        .iter()
        .map(|event| event["message"].as_str().unwrap())
        .collect();
    assert_eq!(pieces.concat(), "Hi, I [31mthink.");
    assert_eq!(told.message(), "Hi, I [31mthink.");
    assert!(!told.body.to_string().contains("secret plan"));
    let kept = transcript(admin, &id).await;
    assert_eq!(kept.last().unwrap(), "agent-message: Hi, I [31mthink.");
}

#[both_engines]
async fn a_first_interaction_that_fails_leaves_no_conversation(plain: TestServer) {
    let (server, service) = slow_server(plain.engine).await;
    let admin = server.admin();
    let failed = create(admin, &service, json!({"initial_message": "break"})).await;
    assert_eq!(
        (failed.types()[0], failed.types().last()),
        ("conversation-created", Some(&"error"))
    );
    assert_eq!(listed(admin, &failed.conversation()).await, None);
    assert_eq!(create(admin, &service, json!({})).await.status, 201);
}

#[both_engines]
async fn only_one_of_many_who_speak_at_once_is_heard(plain: TestServer) {
    let server = plain;
    let (admin, service) = (server.admin(), server.service(1).await);
    let id = create(admin, &service, json!({})).await.conversation();
    let speakers: Vec<_> = (0..8)
        .map(|number| {
            let (admin, id) = (admin.clone(), id.clone());
            tokio::spawn(async move { say(&admin, &id, &format!("I am {number}.")).await.status })
        })
        .collect();
    let mut heard = 0;
    for speaker in speakers {
        let status = speaker.await.unwrap();
        assert!([200, 409].contains(&status.as_u16()), "{status}");
        heard += usize::from(status == 200);
    }
    let said = transcript(admin, &id).await;
    assert!(heard >= 1);
    assert_eq!(said.len(), 1 + 2 * heard, "{said:?}");
    for pair in said[1..].chunks(2) {
        let text = pair[0].strip_prefix("user-message: ").unwrap();
        assert!(
            pair[1].ends_with(text),
            "question and answer are together: {pair:?}"
        );
    }
}
