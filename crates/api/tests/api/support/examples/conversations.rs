//! Examples of operations on conversations.

use forge_testkit::{TestServer, service_body};
use serde_json::{Value, json};

use super::FORM;
use crate::conversations;

/// Starts a conversation in a new service and returns what the paths about it begin with: the conversation, and its
/// first interaction.
pub(crate) async fn conversation(server: &TestServer, name: &str, parts: (&str, &str)) -> (String, String) {
    let body = service_body(name, parts.0, parts.1);
    let service = server.admin().post("service/", body).await.id();
    let created = conversations::create(server.admin(), &service, json!({})).await;
    let (conversation, interaction) = (created.conversation(), created.interaction());
    let path = format!("conversation/{conversation}");
    (path.clone(), format!("{path}/interaction/{interaction}"))
}

/// Returns an example of every operation on conversations.
pub(crate) async fn examples_of_conversations(
    server: &TestServer,
    service: &str,
    parts: (&str, &str),
) -> Vec<(&'static str, String, Option<Value>)> {
    let (talk, talked) = conversation(server, "Talk", parts).await;
    let (_, advised) = conversation(server, "Advice", parts).await;
    let (ending, _) = conversation(server, "End", parts).await;
    let (gone, _) = conversation(server, "Gone", parts).await;
    vec![
        (
            "create-conversation",
            "conversation/?response_format=text".to_owned(),
            Some(json!({"service_id": service})),
        ),
        ("get-conversations", "conversation/".to_owned(), None),
        ("get-conversation-messages", format!("{talk}/messages/"), None),
        ("get-interaction-insights", format!("{talked}/insights"), None),
        (
            FORM,
            format!("{talk}/interact?request_format=text&response_format=text"),
            Some(json!({"initial_message_type": "user-message", "recorded_message": "Hello"})),
        ),
        (
            "recommend-responses-for-interaction",
            format!("{advised}/recommend_responses"),
            None,
        ),
        ("finish-conversation", format!("{ending}/finish/"), None),
        ("delete-conversation", format!("{gone}/"), None),
    ]
}
