//! What happens in the states of a graph, one kind after the other.

use forge_domain::conversation::{AgentAction, TransitionCause};
use serde_json::json;

use crate::talk::{Talk, action, exit, graph, script};

fn simple() -> serde_json::Value {
    graph(
        &[
            action("start", &["greet", "ask"], json!([exit("goodbye", json!("end"))])),
            action("end", &["part"], json!([])),
        ],
        json!({}),
    )
}

#[tokio::test]
async fn an_agent_speaks_until_an_exit_condition_leads_to_the_end() {
    let models = script(json!([
        {"interaction": "evaluate-exit-conditions", "choose": "mentioned"},
        {"interaction": "evaluate-exit-conditions", "choose": "none"},
        {"interaction": "select-action", "turn": 1, "choose": "first"},
        {"interaction": "select-action", "choose": "last"},
        {"interaction": "engage-user", "answer": "  {state} {action}: {user}\n"},
    ]));
    let mut talk = Talk::new(models, &[simple()]);
    let told = talk.say("").await.unwrap();
    assert_eq!((told.message.as_str(), told.is_finished), ("start greet:", false));
    let told = talk.say("what <b>now</b>?").await.unwrap();
    assert_eq!(told.message, "start ask: what <b>now</b>?");
    assert_eq!(told.pieces, ["start", " ask:", " what", " <b>now</b>?", ""]);
    assert_eq!(told.insights.current_state_action, "ask");
    assert!(
        told.insights
            .model_calls
            .iter()
            .all(|call| call.is_scripted && call.provider == "scripted")
    );
    let told = talk.say("well, goodbye!").await.unwrap();
    assert_eq!(
        (told.message.as_str(), told.is_finished),
        ("end part: well, goodbye!", true)
    );
    let [transition] = told.insights.state_transition_logs.as_slice() else {
        panic!("{:?}", told.insights);
    };
    assert_eq!(
        (transition.previous_state.as_str(), transition.next_state.as_str()),
        ("start", "end")
    );
    assert!(
        matches!(&transition.cause, TransitionCause::Action { previous_state_exit_condition_description, .. }
        if previous_state_exit_condition_description == "goodbye")
    );
    assert!(matches!(
        told.actions.as_slice(),
        [
            AgentAction::NavigateStateMachineExitConditionSelected { .. },
            AgentAction::NavigateStateMachineStateTransitioned { .. },
            AgentAction::NavigateStateMachineActionStateActionSelected { .. },
        ]
    ));
    let interactions: Vec<_> = told
        .insights
        .model_calls
        .iter()
        .map(|call| call.interaction.as_str())
        .collect();
    assert_eq!(
        interactions,
        ["evaluate-exit-conditions", "engage-user"],
        "one action is no choice"
    );
}

#[tokio::test]
async fn a_decision_an_annotation_and_a_reflection_are_passed_through() {
    let graph = graph(
        &[
            action("start", &["greet"], json!([exit("ready", json!("choose"))])),
            json!({"type": "decision", "name": "choose", "objective": "choose", "decision_guidelines": [],
                "exit_conditions": [exit("tea", json!("note")), exit("coffee", json!("think"))],
                "tool_call_specs": [], "audio_fillers": [], "audio_filler_triggered_after": 1.0}),
            json!({"type": "annotation", "name": "note", "inner_thought": "They like tea.", "next_state": "think"}),
            json!({"type": "reflection", "name": "think", "problem": "what now?", "word_limit": 3,
                "next_state": "serve", "tool_call_specs": [], "audio_fillers": [],
                "audio_filler_triggered_after": 1.0}),
            action("serve", &["serve"], json!([exit("never", json!("end"))])),
            action("end", &["part"], json!([])),
        ],
        json!({}),
    );
    let models = script(json!([
        {"interaction": "evaluate-exit-conditions", "choose": "mentioned"},
        {"interaction": "evaluate-exit-conditions", "choose": "none"},
        {"interaction": "decide", "choose": "mentioned"},
        {"interaction": "reflect", "answer": "One two three four."},
        {"interaction": "engage-user", "answer": "Here you are."},
    ]));
    let mut talk = Talk::new(models, &[graph]);
    talk.say("").await.unwrap();
    let told = talk.say("I am ready for tea").await.unwrap();
    assert_eq!(talk.state(), "serve");
    let kinds: Vec<_> = talk
        .transcript
        .iter()
        .map(|message| (message.message_type.as_str(), message.message.as_str()))
        .collect();
    assert_eq!(
        kinds,
        [
            ("agent-message", "Here you are."),
            ("user-message", "I am ready for tea"),
            ("agent-inner-thought", "They like tea."),
            ("agent-inner-thought", "One two three"),
            ("agent-message", "Here you are."),
        ]
    );
    assert_eq!(told.insights.reflections, ["One two three"]);
    let causes: Vec<_> = told
        .insights
        .state_transition_logs
        .iter()
        .map(|log| &log.cause)
        .collect();
    let thoughts: Vec<_> = talk.transcript[2..4].iter().map(|message| message.id).collect();
    assert!(
        matches!(
            causes.as_slice(),
            [
                TransitionCause::Action { .. },
                TransitionCause::Decision { previous_state_exit_condition_description: tea, .. },
                TransitionCause::Annotation { inner_thought_message_id: first },
                TransitionCause::Reflection { inner_thought_message_id: second, .. },
            ] if tea == "tea" && [*first, *second] == thoughts[..]
        ),
        "{causes:?}"
    );
    let names: Vec<String> = told
        .actions
        .iter()
        .map(|action| {
            serde_json::to_value(action).unwrap()["type"]
                .as_str()
                .unwrap()
                .replace("navigate-state-machine-", "")
        })
        .collect();
    assert_eq!(
        names,
        [
            "exit-condition-selected",
            "state-transitioned",
            "decision-state-decision-started",
            "exit-condition-selected",
            "state-transitioned",
            "annotation-state-annotation-retrieved",
            "state-transitioned",
            "reflection-state-prompt-retrieved",
            "reflection-state-reflection-generated",
            "state-transitioned",
            "action-state-action-selected",
        ]
    );
}

#[tokio::test]
async fn new_and_returning_users_begin_in_different_states() {
    let mut graph = graph(
        &[
            action("first", &["a"], json!([exit("x", json!("end"))])),
            action("again", &["a"], json!([exit("x", json!("end"))])),
            action("end", &["part"], json!([])),
        ],
        json!({}),
    );
    graph["returning_user_initial_state"] = json!("again");
    for (is_new, state) in [(true, "first"), (false, "again")] {
        let mut talk = Talk::new(script(json!([{"answer": "Hello."}])), &[graph.clone()]);
        talk.person.is_new = is_new;
        talk.say("").await.unwrap();
        assert_eq!(talk.state(), state);
    }
}

#[tokio::test]
async fn two_states_whose_conditions_both_hold_do_not_keep_the_agent_from_answering() {
    let graph = graph(
        &[
            action("one", &["a"], json!([exit("x", json!("two"))])),
            action("two", &["a"], json!([exit("x", json!("one"))])),
            action("end", &["part"], json!([])),
        ],
        json!({}),
    );
    let models = script(json!([
        {"interaction": "evaluate-exit-conditions", "choose": "first"},
        {"interaction": "engage-user", "answer": "I am in {state}."},
    ]));
    let mut talk = Talk::new(models, &[graph]);
    let told = talk.say("x").await.unwrap();
    assert_eq!(
        (told.message.as_str(), told.insights.state_transition_logs.len()),
        ("I am in one.", 2)
    );
}

#[tokio::test]
async fn nobody_has_to_listen_to_a_turn() {
    let talk = Talk::new(
        script(json!([{"interaction": "engage-user", "answer": "Hello there."}])),
        &[simple()],
    );
    let models = script(json!([
        {"interaction": "select-action", "choose": "first"},
        {"interaction": "engage-user", "answer": "Hello there."},
    ]));
    let talk = Talk {
        runtime: Talk::new(models, &[]).runtime,
        ..talk
    };
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    drop(receiver);
    let outcome = talk.interact("", &sender).await.unwrap();
    assert_eq!(outcome.agent_message().unwrap().message, "Hello there.");
}
