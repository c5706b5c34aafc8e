//! What is said for users.

use forge_domain::conversation::MessageType;
use forge_domain::model::ModelPreferences;
use forge_domain::simulation::{PersonaDocument, ScenarioDocument};
use forge_runtime::Simulation;
use serde_json::json;

use crate::played::{Provider, Reply};
use crate::talk::{Talk, action, graph, script};

fn simple() -> serde_json::Value {
    let thought =
        json!({"type": "annotation", "name": "t", "inner_thought": "secret thought", "next_state": "speak"});
    let mut graph = graph(
        &[
            action(
                "speak",
                &["greet"],
                json!([{"description": "go", "next_state": "t"}]),
            ),
            thought,
            action("end", &["part"], json!([])),
        ],
        json!({}),
    );
    graph["terminal_state"] = json!("end");
    graph
}

fn persona() -> (PersonaDocument, ScenarioDocument) {
    let persona = json!({"background": "a baker", "preferred_language": null, "timezone": null, "user_models": ["impatient"],
        "nonsensitive_user_variables": {"city": "Ulm"}, "sensitive_user_variables": {"card": "4111"}});
    let scenario = json!({"objective": "get an appointment", "instructions": "insist", "initial_message_type": "user-message",
        "conversation_starts_at": null});
    (
        serde_json::from_value(persona).unwrap(),
        serde_json::from_value(scenario).unwrap(),
    )
}

#[tokio::test]
async fn a_persona_speaks_until_it_is_done_and_never_sees_thoughts_nor_sends_what_is_sensitive() {
    let provider = Provider::start(vec![
        Reply::text("{\"message\": null}"),
        Reply::text("{\"message\": \" Good morning! \"}"),
        Reply::text("{\"message\": \"\"}"),
    ])
    .await;
    let (persona, scenario) = persona();
    let simulation = Simulation {
        persona: &persona,
        name: "Kim",
        role: "patient",
        scenario: &scenario,
    };
    let models = script(json!([
        {"interaction": "evaluate-exit-conditions", "choose": "first"},
        {"interaction": "engage-user", "answer": "Hello!"},
    ]));
    let mut talk = Talk::new(models, &[simple()]);
    let played = forge_runtime::Runtime::new(
        provider.models(),
        forge_runtime::Tools::default(),
        forge_runtime::Limits::default(),
    );
    let first = played
        .speak_as(simulation, &ModelPreferences::new(), &talk.transcript)
        .await
        .unwrap();
    assert_eq!(first.message.as_deref(), Some("Good morning!"));
    assert_eq!(
        first.model_calls.len(),
        2,
        "a conversation that has not begun cannot be over"
    );
    talk.say(&first.message.unwrap()).await.unwrap();
    assert!(
        talk.transcript
            .iter()
            .any(|message| message.message_type == MessageType::AgentInnerThought)
    );
    let second = played
        .speak_as(simulation, &ModelPreferences::new(), &talk.transcript)
        .await
        .unwrap();
    assert_eq!(second.message, None);
    for request in provider.requests() {
        let all = request.body.to_string();
        assert!(all.contains("a baker") && all.contains("Ulm") && all.contains("insist"));
        assert!(!all.contains("secret thought") && !all.contains("4111"), "{all}");
    }
}

#[tokio::test]
async fn answers_are_proposed_to_the_user() {
    let models = script(json!([
        {"interaction": "recommend-responses", "attempt": 1, "answer": "{\"responses\": [\" \"]}"},
        {"interaction": "recommend-responses", "answer": "{\"responses\": [\"Yes.\", \"\", \"No.\", \"Maybe.\", \"More.\"]}"},
        {"answer": "Shall we?"},
    ]));
    let mut graph = simple();
    graph["states"][0]["exit_conditions"] = json!([]);
    let mut talk = Talk::new(models, &[graph]);
    talk.say("").await.unwrap();
    let proposed = talk
        .runtime
        .recommend(&talk.setup, &talk.person, &talk.transcript, "on a phone")
        .await
        .unwrap();
    assert_eq!(proposed, ["Yes.", "No.", "Maybe."]);
}
