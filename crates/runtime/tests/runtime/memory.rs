//! What the agent looks up of the user.

use forge_domain::conversation::{AgentAction, TransitionCause};
use serde_json::{Value, json};

use crate::talk::{Talk, action, exit, graph, script};

fn recalling(queries: Value, requested: Value) -> Value {
    graph(
        &[
            action("start", &["greet"], json!([exit("look", json!("recall"))])),
            json!({"type": "recall", "name": "recall", "queries": queries, "requested_information": requested,
                "next_state": "again"}),
            action("again", &["greet"], json!([exit("once more", json!("recall"))])),
            action("end", &["part"], json!([])),
        ],
        json!({}),
    )
}

fn models(answers: &str) -> forge_runtime::Models {
    script(json!([
        {"interaction": "evaluate-exit-conditions", "choose": "mentioned"},
        {"interaction": "evaluate-exit-conditions", "choose": "none"},
        {"interaction": "generate-queries", "answer": "{\"queries\": [\"Which tooth?\", \" \"]}"},
        {"interaction": "recall", "answer": format!("{{\"answers\": {answers}}}")},
        {"interaction": "engage-user", "answer": "I see."},
    ]))
}

#[tokio::test]
async fn a_recall_state_answers_its_questions_from_what_is_known_and_asks_none_twice() {
    let mut talk = Talk::new(
        models("[\"The lower left one.\"]"),
        &[recalling(json!(["Which tooth?", "Since when?"]), json!(null))],
    );
    talk.person.facts = vec!["The lower left wisdom tooth hurts.".to_owned()];
    let told = talk.say("look").await.unwrap();
    let answered = told.actions.iter().find_map(|action| match action {
        AgentAction::NavigateStateMachineRecallStateActiveMemoryRetrieved {
            queries_and_responses,
        } => Some(queries_and_responses.clone()),
        _ => None,
    });
    let pair = |query: &str, response: &str| (query.to_owned(), response.to_owned());
    assert_eq!(
        answered.unwrap(),
        [
            pair("Which tooth?", "The lower left one."),
            pair("Since when?", "Nothing is known about this.")
        ]
    );
    let [memory] = told.insights.working_memory.as_slice() else {
        panic!("{:?}", told.insights.working_memory);
    };
    assert_eq!(
        (memory.context.as_str(), memory.content.as_str()),
        ("Which tooth?", "The lower left one.")
    );
    let told = talk.say("once more").await.unwrap();
    let performed = told
        .insights
        .state_transition_logs
        .iter()
        .find_map(|log| match &log.cause {
            TransitionCause::Recall { performed_queries } => Some(performed_queries.len()),
            _ => None,
        });
    assert_eq!(performed, Some(0));
    assert!(
        told.insights
            .model_calls
            .iter()
            .all(|call| call.interaction != "recall")
    );
}

#[tokio::test]
async fn questions_are_made_up_from_the_information_that_is_wanted() {
    let mut talk = Talk::new(
        models("[\"The lower left one.\"]"),
        &[recalling(json!(null), json!("what hurts"))],
    );
    talk.person.facts = vec!["The lower left wisdom tooth hurts.".to_owned()];
    let told = talk.say("look").await.unwrap();
    assert!(told.actions.contains(
        &AgentAction::NavigateStateMachineRecallStateDynamicQueriesGenerated {
            dynamic_queries: vec!["Which tooth?".to_owned()],
            requested_information: "what hurts".to_owned(),
        }
    ));
    assert_eq!(told.insights.working_memory.len(), 1);
}

#[tokio::test]
async fn where_nothing_is_known_no_model_is_asked() {
    let mut talk = Talk::new(
        models("[\"The lower left one.\"]"),
        &[recalling(json!(null), json!("what hurts"))],
    );
    let told = talk.say("look").await.unwrap();
    let interactions: Vec<_> = told
        .insights
        .model_calls
        .iter()
        .map(|call| call.interaction.as_str())
        .collect();
    assert_eq!(
        interactions,
        [
            "evaluate-exit-conditions",
            "evaluate-exit-conditions",
            "engage-user"
        ]
    );
}

#[tokio::test]
async fn an_action_state_looks_up_what_it_needs_unless_it_says_not_to() {
    for skips in [false, true] {
        let mut graph = recalling(json!(["x"]), json!(null));
        graph["states"][0]["skip_active_memory_retrieval"] = json!(skips);
        let mut talk = Talk::new(models("[\"The lower left one.\"]"), &[graph]);
        talk.person.facts = vec!["The lower left wisdom tooth hurts.".to_owned()];
        let told = talk.say("it hurts").await.unwrap();
        let looked_up = told.actions.iter().any(|action| matches!(action, AgentAction::ExtractActiveMemoriesCompleted { queries_and_responses } if queries_and_responses.len() == 1));
        assert_eq!(
            (looked_up, told.insights.working_memory.len()),
            (!skips, usize::from(!skips))
        );
    }
}
