//! Dynamic behavior sets.

use std::sync::Arc;

use forge_domain::conversation::AgentAction;
use forge_domain::{BehaviorSetId, Timestamp, VersionNumber};
use forge_runtime::Behavior;
use serde_json::{Value, json};

use crate::played::{Provider, Reply};
use crate::talk::{Talk, action, graph, script};

fn behavior(n: u8, triggers: &[&str], actions: Value) -> Behavior {
    Behavior {
        id: BehaviorSetId::new(Timestamp::from_millis(0), [n; 8]),
        version: VersionNumber::try_from(2).unwrap(),
        document: Arc::new(
            serde_json::from_value(json!({"conversation_triggers": triggers, "actions": actions})).unwrap(),
        ),
    }
}

fn inject(instruction: &str, overrides: bool) -> Value {
    json!({"type": "inject-instruction", "instruction": instruction, "overrides_instructions": overrides})
}

fn simple() -> Value {
    graph(
        &[
            action("start", &["greet the user"], json!([])),
            action("end", &["part"], json!([])),
        ],
        json!({}),
    )
}

#[tokio::test]
async fn at_most_one_behavior_set_applies_to_a_turn() {
    let models = script(json!([
        {"interaction": "select-behavior", "choose": "mentioned"},
        {"interaction": "select-behavior", "choose": "none"},
        {"interaction": "engage-user", "answer": "Hello."},
    ]));
    let mut talk = Talk::new(models, &[simple()]);
    let told = talk.say("").await.unwrap();
    assert_eq!(
        told.insights.model_calls.len(),
        1,
        "without behavior sets, no model is asked about them"
    );
    talk.behaviors = vec![
        behavior(1, &["pain"], json!([inject("be careful", false)])),
        behavior(2, &["money"], json!([inject("be exact", false)])),
    ];
    let second = Some((talk.behaviors[1].id, talk.behaviors[1].version));
    let told = talk.say("It is about money").await.unwrap();
    assert_eq!(told.insights.triggered_dynamic_behavior_set_version_info, second);
    assert_eq!(
        told.actions[0],
        AgentAction::SelectDynamicBehaviorCompleted {
            selected_dynamic_behavior_set_version_info: second,
            previous_selected_dynamic_behavior_set_version_info: None,
        }
    );
    assert!(told.actions.iter().any(|action| matches!(
        action,
        AgentAction::EngageUserDynamicBehaviorOverride {
            overriding_instructions: false,
            ..
        }
    )));
    let told = talk.say("no more of that").await.unwrap();
    assert_eq!(
        told.actions[0],
        AgentAction::SelectDynamicBehaviorCompleted {
            selected_dynamic_behavior_set_version_info: None,
            previous_selected_dynamic_behavior_set_version_info: second,
        }
    );
}

#[tokio::test]
async fn an_instruction_is_added_to_those_of_the_state_or_stands_in_their_place() {
    for overrides in [false, true] {
        let provider = Provider::start(vec![Reply::text("{\"choice\": 1}"), Reply::text("Hello.")]).await;
        let mut talk = Talk::new(provider.models(), &[simple()]);
        talk.behaviors = vec![behavior(
            1,
            &["pain"],
            json!([inject("say how sorry you are", overrides)]),
        )];
        talk.say("it hurts").await.unwrap();
        let system = provider.requests()[1].system();
        assert!(system.contains("say how sorry you are"));
        assert_eq!(system.contains("greet the user"), !overrides, "{system}");
        assert_eq!(system.contains("be kind"), !overrides);
        assert!(
            system.contains("give no medical advice"),
            "what must not be done holds all the same"
        );
    }
}
