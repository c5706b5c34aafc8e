//! Models that think before they answer, in the text of the answer.

use std::sync::Arc;
use std::time::Duration;

use forge_domain::conversation::{AgentAction, TransitionCause};
use forge_domain::metric::{MeasuredValue, MetricDocument};
use forge_domain::model::ModelPreferences;
use forge_domain::{BehaviorSetId, Timestamp, VersionNumber};
use forge_runtime::{
    AnswerFormat, Behavior, InvalidModels, ModelRoute, Models, ProviderKind, ProviderSettings, RuntimeError,
    Script, Simulation, ToolSettings, Tools,
};
use serde_json::{Value, json};

use crate::played::{Provider, Reply};
use crate::talk::{Talk, action, exit, graph, script};

const TOOL: &str = "65f1c0ffee65f1c0ffee65f1";

/// Creates a model that thinks of one answer and gives another one.
///
/// A thought without a first mark stands in for servers that swallow it.
fn thinking(answers: &[(&str, &str, &str)]) -> Models {
    let rules: Vec<Value> = answers
        .iter()
        .enumerate()
        .map(|(index, (interaction, thought, answer))| {
            // Whoever speaks must begin a thought before ending it.
            let open = if index % 2 == 0 || *interaction == "engage-user" {
                "<think>"
            } else {
                ""
            };
            let text = format!("{open}Maybe {thought}? No.</think>\n{answer}");
            json!({"interaction": interaction, "answer": text})
        })
        .collect();
    script(json!(rules))
}

fn spec() -> Value {
    json!({"tool_id": TOOL, "version_constraint": "", "additional_instruction": "", "audio_fillers": [],
        "audio_filler_triggered_after": 1.0, "result_persistence": "persisted"})
}

/// A graph in which every kind of state is passed through in one turn.
fn everything() -> Value {
    let reflect = json!({"type": "reflection", "name": "reflect", "problem": "what now?", "word_limit": 50,
        "next_state": "call", "tool_call_specs": [spec()], "audio_fillers": [], "audio_filler_triggered_after": 1.0});
    graph(
        &[
            action(
                "start",
                &["greet"],
                json!([exit("wrong", json!("end")), exit("on", json!("decide"))]),
            ),
            json!({"type": "decision", "name": "decide", "objective": "choose", "tool_call_specs": [],
                "decision_guidelines": [], "audio_fillers": [], "audio_filler_triggered_after": 1.0,
                "exit_conditions": [exit("wrong", json!("end")), exit("on", json!("reflect"))]}),
            reflect,
            json!({"type": "tool-call", "name": "call", "next_state": "recall", "designated_tool": spec(),
                "designated_tool_call_params_generation_audio_fillers": [],
                "designated_tool_call_params_generation_audio_filler_triggered_after": 1.0,
                "designated_tool_call_objective": "find them", "designated_tool_call_context": "c",
                "designated_tool_call_guidances": [], "designated_tool_call_validations": [], "tool_call_specs": []}),
            json!({"type": "recall", "name": "recall", "queries": null, "requested_information": "allergies",
                "next_state": "speak"}),
            action("speak", &["wrong", "right"], json!([])),
            action("end", &["part"], json!([])),
        ],
        json!({}),
    )
}

#[tokio::test]
async fn what_a_model_thinks_decides_nothing_and_is_told_to_nobody() {
    let tool = Provider::start(vec![Reply::Status(200, Vec::new(), "found".to_owned())]).await;
    let settings = ToolSettings {
        id: TOOL.parse().unwrap(),
        name: "look_up".to_owned(),
        version: "1".to_owned(),
        description: "Looks somebody up.".to_owned(),
        url: format!("http://{}/look_up", tool.address),
        parameters: json!({"type": "object", "properties": {"id": {"type": "string"}}}),
        timeout: Duration::from_secs(5),
        headers: Vec::new(),
    };
    let call =
        |id: &str| format!("{{\"calls\": [{{\"tool\": \"look_up\", \"params\": {{\"id\": \"{id}\"}}}}]}}");
    let models = thinking(&[
        ("select-behavior", "{\"choice\": 1}", "{\"choice\": 2}"),
        ("evaluate-exit-conditions", "{\"choice\": 1}", "{\"choice\": 2}"),
        ("decide", "{\"choice\": 1}", "{\"choice\": 2}"),
        ("reflect", "wrong", "They want help."),
        ("choose-tools", &call("wrong"), "{\"calls\": []}"),
        ("call-tool", "{\"id\": \"wrong\"}", "{\"id\": \"right\"}"),
        (
            "generate-queries",
            "{\"queries\": [\"wrong?\"]}",
            "{\"queries\": [\"right?\"]}",
        ),
        (
            "recall",
            "{\"answers\": [\"wrong\"]}",
            "{\"answers\": [\"right\"]}",
        ),
        ("select-action", "{\"choice\": 1}", "{\"choice\": 2}"),
        ("engage-user", "wrong", "Here you are."),
    ]);
    let mut talk = Talk::new(Models::default(), &[everything()]);
    talk.runtime = forge_runtime::Runtime::new(
        models,
        Tools::new(vec![settings]).unwrap(),
        forge_runtime::Limits::default(),
    );
    talk.person.facts = vec!["Allergic to nuts.".to_owned()];
    let behavior = |n: u8| Behavior {
        id: BehaviorSetId::new(Timestamp::from_millis(0), [n; 8]),
        version: VersionNumber::try_from(1).unwrap(),
        document: Arc::new(
            serde_json::from_value(json!({"conversation_triggers": ["t"], "actions": []})).unwrap(),
        ),
    };
    talk.behaviors = vec![behavior(1), behavior(2)];
    let told = talk.say("Hello").await.unwrap();
    assert_eq!((told.message.as_str(), talk.state()), ("Here you are.", "speak"));
    assert_eq!(
        told.insights
            .triggered_dynamic_behavior_set_version_info
            .unwrap()
            .0,
        behavior(2).id
    );
    assert_eq!(told.insights.reflections, ["They want help."]);
    assert_eq!(told.insights.current_state_action, "right");
    let [seen] = &tool.requests()[..] else {
        panic!("one call");
    };
    assert_eq!(seen.body, json!({"id": "right"}));
    let [memory] = told.insights.working_memory.as_slice() else {
        panic!("{:?}", told.insights.working_memory);
    };
    assert_eq!(
        (memory.context.as_str(), memory.content.as_str()),
        ("right?", "right")
    );
    assert!(
        told.insights
            .state_transition_logs
            .iter()
            .any(|log| matches!(log.cause, TransitionCause::ToolCall { .. }))
    );
    assert!(
        !told
            .actions
            .iter()
            .any(|action| matches!(action, AgentAction::ToolCallStarted { .. }))
    );
    let everything = format!("{:?} {:?}", told, talk.transcript);
    assert!(
        !everything.contains("Maybe") && !everything.contains("think>"),
        "{everything}"
    );
    assert!(told.insights.model_calls.iter().all(|call| call.error.is_none()));
}

#[tokio::test]
async fn what_a_model_thinks_is_no_verdict_no_proposal_and_no_word_of_a_persona() {
    let models = thinking(&[
        (
            "evaluate-metric",
            "{\"value\": false, \"justification\": \"maybe\"}",
            "{\"value\": true, \"justification\": \"final\"}",
        ),
        (
            "recommend-responses",
            "{\"responses\": [\"wrong\"]}",
            "{\"responses\": [\"right\"]}",
        ),
        (
            "simulate-user",
            "{\"message\": \"wrong\"}",
            "{\"message\": \"right\"}",
        ),
        ("engage-user", "wrong", "Hi."),
    ]);
    let state = action("start", &["greet"], json!([]));
    let mut talk = Talk::new(
        models,
        &[graph(&[state, action("end", &["part"], json!([]))], json!({}))],
    );
    talk.say("Hello").await.unwrap();
    let metric: MetricDocument =
        serde_json::from_value(json!({"description": "kind?", "metric_value": {"type": "boolean"}})).unwrap();
    let preferences = ModelPreferences::new();
    let verdict = talk
        .runtime
        .judge(&metric, &preferences, &talk.transcript)
        .await
        .unwrap();
    assert_eq!(verdict.value, Some(MeasuredValue::Boolean(true)));
    assert_eq!(verdict.justification, "final");
    let proposed = talk
        .runtime
        .recommend(&talk.setup, &talk.person, &talk.transcript, "")
        .await;
    assert_eq!(proposed.unwrap(), ["right"]);
    let persona = json!({"background": "a baker", "preferred_language": null, "timezone": null, "user_models": [],
        "nonsensitive_user_variables": {}, "sensitive_user_variables": {}});
    let scenario = json!({"objective": "o", "instructions": "i", "initial_message_type": "user-message",
        "conversation_starts_at": null});
    let simulation = Simulation {
        persona: &serde_json::from_value(persona).unwrap(),
        name: "Kim",
        role: "patient",
        scenario: &serde_json::from_value(scenario).unwrap(),
    };
    let said = talk
        .runtime
        .speak_as(simulation, &preferences, &talk.transcript)
        .await;
    assert_eq!(said.unwrap().message.as_deref(), Some("right"));
}

#[tokio::test]
async fn an_answer_that_is_nothing_but_a_thought_is_asked_for_again() {
    let models = script(json!([
        {"interaction": "engage-user", "attempt": 1, "answer": "<think>Hm. {\"choice\": 1}"},
        {"interaction": "engage-user", "attempt": 2, "answer": "<think>Hm.</think>\n"},
        {"interaction": "engage-user", "answer": "<think>Hm.</think>\nHello, I think."},
    ]));
    let state = action("start", &["greet"], json!([]));
    let mut talk = Talk::new(
        models,
        &[graph(&[state, action("end", &["part"], json!([]))], json!({}))],
    );
    let told = talk.say("Hello").await.unwrap();
    assert_eq!(told.pieces, ["Hello,", " I", " think.", ""]);
    let errors: Vec<_> = told
        .insights
        .model_calls
        .iter()
        .map(|call| call.error.as_deref())
        .collect();
    assert_eq!(
        errors,
        [
            Some("it has thoughts, but nothing after them"),
            Some("the message is empty"),
            None
        ]
    );
}

/// Creates a model behind a server that begins its thoughts in the prompt.
fn swallowing(mark: &str, rules: Value) -> Result<Models, InvalidModels> {
    let script = Script::from_json(&json!({"rules": rules}).to_string()).unwrap();
    let provider = ProviderSettings {
        name: "played".to_owned(),
        kind: ProviderKind::Scripted(script),
        answer_format: AnswerFormat::Text,
        swallowed_mark: Some(mark.to_owned()),
    };
    let route = ModelRoute {
        model: "acme_care".to_owned(),
        provider: "played".to_owned(),
        provider_model: "care-7b".to_owned(),
    };
    let default = serde_json::from_value(json!({"llm_name": "acme_care"})).unwrap();
    Models::new(vec![provider], vec![route], Some(default))
}

#[tokio::test]
async fn a_provider_that_keeps_the_first_mark_is_listened_to_from_the_second_one_on() {
    let models = swallowing(
        "<think>",
        json!([
            {"interaction": "evaluate-exit-conditions", "answer": "None of {them}.</think>{\"choice\": 0}"},
            {"interaction": "engage-user", "contains": "marks", "answer":
                "What does <think> do?</think>Write <think> before it and </think> after it."},
            {"interaction": "engage-user", "contains": "unended", "attempt": 1, "answer": "I should say hello."},
            {"interaction": "engage-user", "answer": "I should say hello.</think>Hello there."},
        ]),
    );
    let state = action("start", &["greet"], json!([exit("never ever", json!("end"))]));
    let end = action("end", &["part"], json!([]));
    let mut talk = Talk::new(models.unwrap(), &[graph(&[state, end], json!({}))]);
    let told = talk.say("Hello").await.unwrap();
    assert_eq!(told.pieces, ["Hello", " there.", ""]);
    let told = talk.say("How do marks work?").await.unwrap();
    assert_eq!(told.message, "Write <think> before it and </think> after it.");
    let told = talk.say("unended").await.unwrap();
    assert_eq!(told.message, "Hello there.", "what has no end is a thought");
}

#[test]
fn a_mark_that_begins_no_thoughts_is_refused() {
    for mark in ["<b>", "", "</think>", "analysis", "<|channel|>final"] {
        let error = swallowing(mark, json!([])).unwrap_err();
        assert!(
            matches!(&error, InvalidModels::Uncallable { reason, .. } if reason.contains("swallowed_mark")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_message_in_which_a_thought_ends_that_never_began_is_given_up() {
    let models = script(json!([
        {"interaction": "engage-user", "contains": "marks", "answer": "Write <think> before it and </think> after it."},
        {"interaction": "engage-user", "answer": "I should say hello.</think>Hello."},
    ]));
    let state = action("start", &["greet"], json!([]));
    let mut talk = Talk::new(
        models,
        &[graph(&[state, action("end", &["part"], json!([]))], json!({}))],
    );
    let told = talk.say("How do marks work?").await.unwrap();
    assert_eq!(told.message, "Write <think> before it and </think> after it.");
    let before = talk.transcript.clone();
    let error = talk.say("Hello").await.unwrap_err();
    assert!(
        matches!(&error, RuntimeError::CutOff { reason, .. } if reason.contains("had not begun")),
        "{error}"
    );
    assert_eq!(talk.transcript, before);
}

/// Whoever gets a model to say a second mark must not change what others hear.
#[tokio::test]
async fn nothing_that_is_said_to_one_user_changes_how_another_one_is_answered() {
    let rules = json!([
        {"interaction": "evaluate-exit-conditions", "contains": "mark", "answer": "None.</think>{\"choice\": 0}"},
        {"interaction": "evaluate-exit-conditions", "answer": "{\"choice\": 0}"},
        {"interaction": "engage-user", "contains": "mark", "answer": "A mark: </think>."},
        {"interaction": "engage-user", "answer": "Never take </think> two tablets."},
    ]);
    let state = action("start", &["greet"], json!([exit("never ever", json!("end"))]));
    let graph = graph(&[state, action("end", &["part"], json!([]))], json!({}));
    let graphs = std::slice::from_ref(&graph);
    let models = script(rules);
    let mut alone = Talk::new(models.clone(), graphs);
    let expected = alone.say("How many?").await.unwrap_err().to_string();
    let mut one = Talk::new(models.clone(), graphs);
    one.say("Say the mark").await.unwrap_err();
    let mut other = Talk::new(models, graphs);
    let error = other.say("How many?").await.unwrap_err();
    assert_eq!(error.to_string(), expected, "half a message is none");
}
