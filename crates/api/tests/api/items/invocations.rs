//! Where dynamic behavior sets applied.

use forge_domain::conversation::MessageType;
use forge_testkit::{TestClient, TestServer, both_engines};
use serde_json::{Value, json};

use super::talk;
use crate::support::assertions::assert_invalid_at;
use crate::support::grants::{any, grant};
use crate::support::ids::UNKNOWN_ID;
use crate::support::items::{BEHAVIOR_SET, behavior_set_body, behavior_version};
use crate::support::pages::pages;
use crate::support::users::user_with;

const TRIGGER: &str = "The user is angry.";

/// Creates a service and a set that is applied to it.
async fn applied(server: &TestServer) -> (String, String) {
    let service = server.service(1).await;
    let mut body = behavior_set_body("Calm");
    body["applied_to_services"] = json!([service]);
    let set = BEHAVIOR_SET.create(server, body).await;
    (service, set)
}

async fn invocations(client: &TestClient, set: &str) -> Vec<Value> {
    let listed = client
        .get(&format!("dynamic_behavior_set/{set}/invocation/"))
        .await;
    assert_eq!(listed.status, 200, "{}", listed.body);
    listed.body["dynamic_behavior_invocations"]
        .as_array()
        .unwrap()
        .clone()
}

#[both_engines]
async fn an_interaction_that_turns_to_a_trigger_is_recorded_with_version_message_and_conversation(
    server: TestServer,
) {
    let (service, set) = applied(&server).await;
    let begun = talk::start(&server, &service, "Good morning.").await;
    assert_eq!(invocations(server.admin(), &set).await, Vec::<Value>::new());
    server.clock.advance_seconds(1);
    let conversation = begun.conversation_id;
    let angry = talk::say(&server, conversation, &format!("{TRIGGER} I am!")).await;
    let [invocation] = &invocations(server.admin(), &set).await[..] else {
        panic!("one interaction, one invocation");
    };
    let of_type = |wanted: MessageType| -> Vec<String> {
        let messages = angry
            .messages
            .iter()
            .filter(|message| message.message_type == wanted);
        messages.map(|message| message.id.to_string()).collect()
    };
    assert_eq!(invocation["conversation_id"], conversation.to_string());
    assert_eq!(invocation["service_id"], service);
    assert_eq!(invocation["user_id"], server.admin().user_id.as_str());
    assert_eq!(
        invocation["initial_message_id"],
        of_type(MessageType::UserMessage)[0]
    );
    assert_eq!(
        invocation["agent_message_id"],
        angry.agent_message().id.to_string()
    );
    assert_eq!(
        invocation["agent_inner_thoughts_ids"],
        json!(of_type(MessageType::AgentInnerThought))
    );
    assert_eq!(invocation["external_event_message_ids"], json!([]));
    assert_eq!(invocation["dynamic_behavior_set_version_info"], json!([set, 1]));
    assert_eq!(invocation["invoked_at"], "2026-11-23T12:00:01.000Z");
}

#[both_engines]
async fn running_conversations_meet_new_versions_and_no_longer_what_is_inactive(server: TestServer) {
    let (service, set) = applied(&server).await;
    let conversation = talk::start(&server, &service, TRIGGER).await.conversation_id;
    let versions = format!("dynamic_behavior_set/{set}/version/");
    assert_eq!(
        server.admin().post(&versions, behavior_version()).await.status,
        201
    );
    talk::say(&server, conversation, TRIGGER).await;
    let update = async |body: Value| {
        assert_eq!(
            server
                .admin()
                .post(&format!("dynamic_behavior_set/{set}/"), body)
                .await
                .status,
            204
        );
        talk::say(&server, conversation, TRIGGER).await;
    };
    update(json!({"is_active": false})).await;
    update(json!({"is_active": true, "applied_to_services": []})).await;
    update(json!({"applied_to_services": [service]})).await;
    let versions: Vec<Value> = invocations(server.admin(), &set)
        .await
        .iter()
        .map(|invocation| invocation["dynamic_behavior_set_version_info"][1].clone())
        .collect();
    assert_eq!(versions, [1, 2, 2]);
}

#[both_engines]
async fn only_invocations_in_conversations_that_the_caller_may_read_are_listed(server: TestServer) {
    let (service, set) = applied(&server).await;
    let conversation = talk::start(&server, &service, TRIGGER).await.conversation_id;
    let path = format!("dynamic_behavior_set/{set}/invocation/");
    let blind = user_with(&server, "Blind", vec![any(BEHAVIOR_SET.get)]).await;
    assert_eq!(invocations(&blind, &set).await, Vec::<Value>::new());
    let messages = |service: &str| {
        let conditions = json!({"service_id": {"type": "Equals", "value": service}});
        vec![
            any(BEHAVIOR_SET.get),
            grant("Conversation:GetMessage", &conditions),
        ]
    };
    let elsewhere = user_with(&server, "Elsewhere", messages(UNKNOWN_ID)).await;
    assert_eq!(invocations(&elsewhere, &set).await, Vec::<Value>::new());
    let here = user_with(&server, "Here", messages(&service)).await;
    assert_eq!(invocations(&here, &set).await.len(), 1);
    let without_set = user_with(&server, "Without", vec![any("Conversation:GetMessage")]).await;
    assert_eq!(without_set.get(&path).await.status, 403);
    let unknown = server
        .admin()
        .get(&format!("dynamic_behavior_set/{UNKNOWN_ID}/invocation/"))
        .await;
    assert_eq!(unknown.status, 404);
    talk::delete(&server, conversation).await;
    assert_eq!(invocations(server.admin(), &set).await, Vec::<Value>::new());
}

#[both_engines]
async fn invocations_are_sorted_and_paged(server: TestServer) {
    let (service, set) = applied(&server).await;
    let conversation = talk::start(&server, &service, TRIGGER).await.conversation_id;
    for _ in 0..4 {
        server.clock.advance_seconds(1);
        talk::say(&server, conversation, TRIGGER).await;
    }
    let path = format!("dynamic_behavior_set/{set}/invocation/");
    let list = "dynamic_behavior_invocations";
    let ascending = pages(server.admin(), &format!("{path}?limit=2"), list, "invoked_at").await;
    assert_eq!(ascending.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    assert!(ascending.concat().is_sorted());
    let descending = pages(
        server.admin(),
        &format!("{path}?limit=2&sort_by=-invoked_at"),
        list,
        "invoked_at",
    )
    .await;
    let mut reversed = descending.concat();
    reversed.reverse();
    assert_eq!(reversed, ascending.concat());
    for (query, place) in [
        ("limit=0", "query.limit"),
        ("limit=31", "query.limit"),
        ("sort_by=-version", "query.sort_by"),
        ("continuation_token=99", "query.continuation_token"),
    ] {
        assert_invalid_at(&server.admin().get(&format!("{path}?{query}")).await, place);
    }
}
