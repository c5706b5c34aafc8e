//! Ways into other graphs and back.

use forge_domain::conversation::TransitionCause;
use serde_json::{Value, json};

use crate::talk::{Talk, action, exit, graph, graph_id, script, version};

fn outer(target: &str, back: &str) -> Value {
    graph(
        &[
            action("start", &["greet"], json!([exit("pain", json!([target, back]))])),
            action("after", &["go on"], json!([exit("goodbye", json!("end"))])),
            action("end", &["part"], json!([])),
        ],
        json!({"care": [graph_id(1), 1]}),
    )
}

fn inner() -> Value {
    graph(
        &[
            action("ask", &["ask"], json!([exit("done", json!("over"))])),
            action("over", &["nothing"], json!([])),
        ],
        json!({}),
    )
}

fn models() -> forge_runtime::Models {
    script(json!([
        {"interaction": "evaluate-exit-conditions", "choose": "mentioned"},
        {"interaction": "evaluate-exit-conditions", "choose": "none"},
        {"interaction": "engage-user", "answer": "{state}"},
    ]))
}

#[tokio::test]
async fn a_conversation_enters_another_graph_and_jumps_back_from_its_end() {
    let mut talk = Talk::new(models(), &[outer("care.ask", "after"), inner()]);
    assert_eq!(talk.say("").await.unwrap().message, "start");
    assert_eq!(talk.say("I have pain").await.unwrap().message, "ask");
    let frames: Vec<_> = talk
        .position
        .frames
        .iter()
        .map(|frame| (frame.graph, frame.state.as_str()))
        .collect();
    assert_eq!(frames, [(version(0), "after"), (version(1), "ask")]);
    let told = talk.say("I am done").await.unwrap();
    assert_eq!((told.message.as_str(), told.is_finished), ("after", false));
    let logs = &told.insights.state_transition_logs;
    assert_eq!(logs[1].cause, TransitionCause::Jumpback {});
    assert_eq!(
        (
            logs[1].previous_state.as_str(),
            logs[1].previous_service_hierarchical_state_machine_version_info
        ),
        ("over", version(1))
    );
    assert_eq!(
        (
            logs[1].next_state.as_str(),
            logs[1].next_service_hierarchical_state_machine_version_info
        ),
        ("after", version(0))
    );
    let told = talk.say("goodbye").await.unwrap();
    assert_eq!((told.message.as_str(), told.is_finished), ("end", true));
}

#[tokio::test]
async fn jumping_back_to_an_end_jumps_back_further() {
    let mut middle = outer("deep.ask", "end");
    middle["references"] = json!({"deep": [graph_id(2), 1]});
    let mut talk = Talk::new(models(), &[outer("care.start", "end"), middle, inner()]);
    assert_eq!(talk.say("pain, great pain").await.unwrap().message, "ask");
    assert_eq!(talk.position.frames.len(), 3);
    let told = talk.say("done").await.unwrap();
    assert_eq!((told.message.as_str(), told.is_finished), ("end", true));
    assert_eq!(talk.position.frames.len(), 1);
}

#[tokio::test]
async fn a_graph_that_is_not_at_hand_fails_the_turn() {
    let mut talk = Talk::new(models(), &[outer("care.ask", "after")]);
    talk.say("").await.unwrap();
    let error = talk.say("pain").await.unwrap_err();
    assert!(matches!(error, forge_runtime::RuntimeError::Graph(_)), "{error}");
    assert_eq!(
        talk.say("fine").await.unwrap().message,
        "start",
        "the conversation goes on from where it was"
    );
}
