//! How much a turn may take.

use std::time::Duration;

use forge_runtime::{Limits, Models, RuntimeError, ToolSettings, Tools};
use serde_json::{Value, json};

use crate::played::{Provider, Reply};
use crate::talk::{Talk, action, exit, graph, script};

/// A graph that goes round in circles, without a state in which the agent could speak.
fn circle() -> Value {
    let thought = |name: &str, next: &str| json!({"type": "annotation", "name": name, "inner_thought": "hm", "next_state": next});
    graph(
        &[
            action("start", &["greet"], json!([exit("go", json!("one"))])),
            thought("one", "two"),
            thought("two", "one"),
            action("end", &["part"], json!([])),
        ],
        json!({}),
    )
}

fn models(delay_ms: u64) -> Models {
    script(json!([
        {"interaction": "evaluate-exit-conditions", "choose": "mentioned"},
        {"interaction": "evaluate-exit-conditions", "choose": "none", "delay_ms": delay_ms},
        {"interaction": "engage-user", "answer": "Hello."},
    ]))
}

async fn reached(limits: Limits, delay_ms: u64, said: &str) -> String {
    let mut talk = Talk::new(Models::default(), &[circle()]).with_limits(models(delay_ms), limits);
    match talk.say(said).await.unwrap_err() {
        RuntimeError::Limit(what) => what,
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_takes_too_much_is_given_up() {
    let limits = Limits::default();
    assert_eq!(
        reached(limits.clone(), 0, "go").await,
        "it walked through 25 states"
    );
    let few = Limits {
        model_calls: 1,
        ..limits.clone()
    };
    assert_eq!(reached(few, 0, "stay").await, "it called models 1 times");
    let short = Limits {
        turn_time: Duration::from_secs(2),
        ..limits.clone()
    };
    assert_eq!(
        reached(short, 3000, "stay").await,
        "it took longer than 2 seconds"
    );
    let small = Limits {
        prompt_bytes: 1000,
        ..limits.clone()
    };
    assert_eq!(
        reached(small, 0, "stay").await,
        "the prompt of interaction `evaluate-exit-conditions` is longer than 1000 bytes"
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_of_a_model_that_takes_too_long_is_repeated_and_then_given_up() {
    let limits = Limits {
        model_call_time: Duration::from_secs(1),
        ..Limits::default()
    };
    let mut talk = Talk::new(Models::default(), &[circle()]).with_limits(models(5000), limits);
    let error = talk.say("stay").await.unwrap_err();
    assert!(
        matches!(&error, RuntimeError::Unavailable { reason, .. } if reason == "no complete answer within 1 seconds"),
        "{error}"
    );
}

#[tokio::test]
async fn of_a_long_conversation_the_latest_part_is_told() {
    let provider = Provider::start(vec![Reply::text("Hello.")]).await;
    let limits = Limits {
        prompt_bytes: 16 * 1024,
        ..Limits::default()
    };
    let graph = graph(
        &[
            action("start", &["greet"], json!([])),
            action("end", &["part"], json!([])),
        ],
        json!({}),
    );
    let mut talk = Talk::new(Models::default(), &[graph]).with_limits(provider.models(), limits);
    for turn in 0..20 {
        talk.say(&format!("turn {turn}: {}", "long ".repeat(300)))
            .await
            .unwrap();
    }
    assert_eq!(talk.transcript.len(), 40);
    let last = provider.requests().last().unwrap().user();
    let is_told = |turn: &i32| last.contains(&format!("turn {turn}:"));
    let told: Vec<i32> = (0..20).filter(is_told).collect();
    assert!((2..20).contains(&told.len()), "{told:?}");
    let latest: Vec<i32> = (20 - i32::try_from(told.len()).unwrap()..20).collect();
    assert_eq!(told, latest);
}

#[tokio::test(start_paused = true)]
async fn whoever_drops_a_turn_cancels_it() {
    let mut talk = Talk::new(models(60_000), &[circle()]);
    let began = tokio::time::Instant::now();
    let given_up = tokio::time::timeout(Duration::from_millis(10), talk.say("stay")).await;
    assert!(given_up.is_err() && began.elapsed() < Duration::from_secs(1));
    assert_eq!(
        talk.say("").await.unwrap().message,
        "Hello.",
        "the conversation can go on"
    );
}

#[tokio::test]
async fn a_conversation_does_not_grow_beyond_what_a_prompt_can_hold() {
    let server = Provider::start(vec![Reply::Status(200, Vec::new(), "x".repeat(5000))]).await;
    let spec = json!({"tool_id": "65f1c0ffee65f1c0ffee65f1", "version_constraint": "", "additional_instruction": "i",
        "audio_fillers": [], "audio_filler_triggered_after": 1.0, "result_persistence": "persisted"});
    let mut start = action("start", &["greet"], json!([]));
    start["action_tool_call_specs"] = json!([spec]);
    let graph = graph(&[start, action("end", &["part"], json!([]))], json!({}));
    let tool = ToolSettings {
        id: "65f1c0ffee65f1c0ffee65f1".parse().unwrap(),
        name: "look_up".to_owned(),
        version: "1".to_owned(),
        description: String::new(),
        url: format!("http://{}/", server.address),
        parameters: json!({"type": "object"}),
        timeout: Duration::from_secs(5),
        headers: Vec::new(),
    };
    let models = script(json!([
        {"interaction": "choose-tools", "round": 0, "answer": "{\"calls\": [{\"tool\": \"look_up\"}]}"},
        {"interaction": "choose-tools", "answer": "{\"calls\": []}"},
        {"interaction": "engage-user", "answer": "I see."},
    ]));
    let limits = Limits {
        prompt_bytes: 48 * 1024,
        ..Limits::default()
    };
    let runtime = forge_runtime::Runtime::new(models, Tools::new(vec![tool]).unwrap(), limits);
    let mut talk = Talk {
        runtime,
        ..Talk::new(Models::default(), &[graph])
    };
    for turn in 0..15 {
        talk.say(&format!("{turn}: {}", "long ".repeat(400)))
            .await
            .unwrap();
    }
    assert_eq!(talk.position.kept_results.len(), 2);
}
