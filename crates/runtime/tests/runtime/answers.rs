//! Answers of models that cannot be used, and models that do not answer.

use forge_runtime::RuntimeError;
use serde_json::{Value, json};

use crate::talk::{Talk, action, exit, graph, script};

fn simple() -> Value {
    graph(
        &[
            action("start", &["greet"], json!([exit("goodbye", json!("end"))])),
            action("end", &["part"], json!([])),
        ],
        json!({}),
    )
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_is_asked_for_again() {
    let models = script(json!([
        {"interaction": "evaluate-exit-conditions", "attempt": 1, "answer": "I would say the first one."},
        {"interaction": "evaluate-exit-conditions", "attempt": 2, "answer": "{\"choice\": 7}"},
        {"interaction": "evaluate-exit-conditions", "answer": "```json\n{\"choice\": \"1\"}\n```"},
        {"interaction": "engage-user", "attempt": 1, "answer": " \n"},
        {"interaction": "engage-user", "answer": "Goodbye."},
    ]));
    let mut talk = Talk::new(models, &[simple()]);
    let told = talk.say("bye").await.unwrap();
    assert!(told.is_finished);
    let calls: Vec<_> = told
        .insights
        .model_calls
        .iter()
        .map(|call| (call.interaction.as_str(), call.attempt, call.error.as_deref()))
        .collect();
    assert_eq!(
        calls,
        [
            (
                "evaluate-exit-conditions",
                1,
                Some("there is no JSON object in it")
            ),
            (
                "evaluate-exit-conditions",
                2,
                Some("`choice` must be a whole number from 0 to 1")
            ),
            ("evaluate-exit-conditions", 3, None),
            ("engage-user", 1, Some("the message is empty")),
            ("engage-user", 2, None),
        ]
    );
}

#[tokio::test]
async fn after_three_answers_of_no_use_the_turn_fails_and_the_conversation_stays_as_it_was() {
    let models = script(json!([
        {"interaction": "evaluate-exit-conditions", "contains": "odd", "answer": "?"},
        {"interaction": "evaluate-exit-conditions", "choose": "none"},
        {"interaction": "engage-user", "answer": "Go on."},
    ]));
    let mut talk = Talk::new(models, &[simple()]);
    talk.say("").await.unwrap();
    let before = talk.position.clone();
    let error = talk.say("odd").await.unwrap_err();
    assert_eq!(
        error,
        RuntimeError::Unusable {
            interaction: "evaluate-exit-conditions".to_owned(),
            model: "scripted".to_owned(),
            attempts: 3,
            reason: "there is no JSON object in it".to_owned(),
        }
    );
    assert_eq!(talk.position, before);
    assert_eq!(talk.say("even").await.unwrap().message, "Go on.");
}

#[tokio::test(start_paused = true)]
async fn a_model_that_cannot_be_reached_is_called_again_before_the_turn_fails() {
    let models = script(json!([
        {"interaction": "evaluate-exit-conditions", "fail": "no route"},
        {"interaction": "engage-user", "answer": "Go on."},
    ]));
    let mut talk = Talk::new(models, &[simple()]);
    let began = tokio::time::Instant::now();
    let error = talk.say("hello").await.unwrap_err();
    assert!(
        matches!(&error, RuntimeError::Unavailable { reason, .. } if reason == "no route"),
        "{error}"
    );
    assert_eq!(
        began.elapsed().as_millis(),
        1500,
        "it waited half a second, then a whole one"
    );
    assert_eq!(talk.say("").await.unwrap().message, "Go on.");
}

#[tokio::test]
async fn preferences_choose_the_model_and_without_a_provider_the_turn_fails() {
    let models = script(json!([{"answer": "{\"choice\": 0} Hello."}]));
    let mut talk = Talk::new(models, &[simple()]);
    talk.setup.models = serde_json::from_value(json!({"engage-user": {"llm_name": "acme_care"}})).unwrap();
    let told = talk.say("hello").await.unwrap();
    let models: Vec<_> = told
        .insights
        .model_calls
        .iter()
        .map(|call| call.model.as_str())
        .collect();
    assert_eq!(models, ["scripted", "acme_care"]);
    talk.runtime = forge_runtime::Runtime::default();
    let error = talk.say("hello").await.unwrap_err();
    assert!(matches!(error, RuntimeError::NoProvider { .. }), "{error}");
}
