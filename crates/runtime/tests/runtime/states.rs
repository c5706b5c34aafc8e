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
