//! Conversations: what they tell while they run, and what is left of them.

mod access;
mod lifecycle;
mod lists;
mod pinning;
mod requests;
mod streams;

use axum::http::StatusCode;
use forge_testkit::{TestClient, TestResponse};
use serde_json::{Value, json};

/// What the script's agent takes as the end of a conversation: one of the example graph's exit conditions, in full.
const GOODBYE: &str = "The person only wanted opening hours, an address or the phone number, has the answer and needs \
    nothing else.";

/// What an interaction told.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Told {
    fn of(answer: TestResponse) -> Self {
        Self {
            status: answer.status,
            body: answer.body,
        }
    }

    /// Returns the types of all events.
    pub(crate) fn types(&self) -> Vec<&str> {
        let events = self.body.as_array().into_iter().flatten();
        events.map(|event| event["type"].as_str().unwrap()).collect()
    }

    /// Returns the events of a type.
    pub(crate) fn events(&self, kind: &str) -> Vec<&Value> {
        let events = self.body.as_array().into_iter().flatten();
        events.filter(|event| event["type"] == kind).collect()
    }

    #[track_caller]
    pub(crate) fn conversation(&self) -> String {
        self.field("conversation-created", "conversation_id")
    }

    #[track_caller]
    pub(crate) fn interaction(&self) -> String {
        self.field("interaction-complete", "interaction_id")
    }

    #[track_caller]
    pub(crate) fn message(&self) -> String {
        self.field("interaction-complete", "full_message")
    }

    #[track_caller]
    fn field(&self, kind: &str, field: &str) -> String {
        let text = self.events(kind).last().and_then(|event| event[field].as_str());
        text.unwrap_or_else(|| panic!("{} {}", self.status, self.body))
            .to_owned()
    }
}

/// Starts a conversation; `more` is added to the body.
pub(crate) async fn create(client: &TestClient, service: &str, more: Value) -> Told {
    let mut body = json!({"service_id": service});
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    Told::of(client.post("conversation/?response_format=text", body).await)
}

/// Says something as the user.
pub(crate) async fn say(client: &TestClient, conversation: &str, text: &str) -> Told {
    let fields = [
        ("initial_message_type", "user-message"),
        ("recorded_message", text),
    ];
    Told::of(client.post_form(&interact(conversation), &fields).await)
}

fn interact(conversation: &str) -> String {
    format!("conversation/{conversation}/interact?request_format=text&response_format=text")
}

async fn finish(client: &TestClient, conversation: &str) -> TestResponse {
    let path = format!("conversation/{conversation}/finish/");
    client.send(axum::http::Method::POST, &path, None).await
}

/// Returns the messages of a conversation, as `type: text`, thoughts included.
async fn transcript(client: &TestClient, conversation: &str) -> Vec<String> {
    let types = [
        "user-message",
        "agent-message",
        "agent-inner-thought",
        "external-event",
    ];
    let types: Vec<String> = types.iter().map(|kind| format!("message_type={kind}")).collect();
    let path = format!("conversation/{conversation}/messages/?{}", types.join("&"));
    let answer = client.get(&path).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let messages = answer.body["messages"].as_array().unwrap().iter();
    let text = |message: &Value| {
        let (kind, text) = (message["message_type"].as_str(), message["message"].as_str());
        format!("{}: {}", kind.unwrap(), text.unwrap())
    };
    messages.map(text).collect()
}

/// Returns a conversation as the list has it.
async fn listed(client: &TestClient, conversation: &str) -> Option<Value> {
    let answer = client.get(&format!("conversation/?id={conversation}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["conversations"].as_array().unwrap().first().cloned()
}
