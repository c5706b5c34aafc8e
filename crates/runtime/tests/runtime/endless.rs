//! Providers that do not come to an end: no more is read of them than anybody waits for, and no more is held than a frame.

use std::time::Duration;

use forge_runtime::{AnswerFormat, Limits, Models};
use serde_json::json;

use crate::played::{KEY, Provider, Reply, models};
use crate::protocols::{kind_of, talk};
use crate::speech::{PROTOCOLS, kind};
use crate::talk::{Talk, action, graph};

/// What may be on its way beyond what was read.
const ON_ITS_WAY: usize = 24 << 20;

const MIB: usize = 1 << 20;

#[tokio::test]
async fn what_comes_with_an_error_is_not_read_to_its_end() {
    let again = || "x".repeat(MIB / 16);
    for protocol in PROTOCOLS {
        for (status, kind) in [(401, "setup"), (400, "refused")] {
            let first = r#"{"error": {"message": "your key is sk-key-of-the-test"#;
            let reply = Reply::Endless(status, "application/json", first, again());
            let (provider, mut talk) = talk(protocol, vec![reply]).await;
            let error = talk.say("Hello").await.unwrap_err();
            assert_eq!(kind_of(&error), kind, "{protocol}: {error}");
            let text = format!("{error} {error:?}");
            assert!(
                text.contains(&format!("status {status}")) && !text.contains(KEY),
                "{text}"
            );
            assert!(provider.taken() < ON_ITS_WAY, "{protocol}: {}", provider.taken());
        }
    }
}

#[tokio::test]
async fn a_status_is_known_also_if_its_body_does_not_come_in_time() {
    let provider = Provider::start(vec![Reply::Stalls(401, "{\"error\":")]).await;
    let limits = Limits {
        model_call_time: Duration::from_millis(100),
        ..Limits::default()
    };
    let state = action("start", &["greet"], json!([]));
    let graph = graph(&[state, action("end", &["part"], json!([]))], json!({}));
    let mut talk = Talk::new(Models::default(), &[graph]).with_limits(provider.models(), limits);
    let error = talk.say("Hello").await.unwrap_err();
    assert!(error.to_string().contains("status 401"), "{error}");
    assert_eq!(provider.requests().len(), 1);
}

#[tokio::test]
async fn a_frame_without_end_is_none() {
    for protocol in PROTOCOLS {
        let lines = protocol == "ollama";
        for (first, again) in [
            ("data: {\"x\": \"", "x".repeat(MIB / 16)),
            ("", "x".repeat(MIB / 16)),
            ("data: {\"x\": [\n", "data: \"x\",\n".repeat(MIB / 160)),
        ] {
            if lines && again.ends_with('\n') {
                continue;
            }
            let reply = Reply::Endless(200, "text/event-stream", first, again);
            let (provider, mut talk) = talk(protocol, vec![reply]).await;
            let error = talk.say("Hello").await.unwrap_err();
            assert_eq!(kind_of(&error), "setup", "{protocol}: {error}");
            assert_eq!(provider.requests().len(), 1, "{protocol}");
            assert!(provider.taken() < ON_ITS_WAY, "{protocol}: {}", provider.taken());
        }
    }
}

#[tokio::test]
async fn comments_and_thoughts_come_to_an_end_too() {
    let thought = json!({"choices": [{"delta": {"reasoning_content": "x".repeat(MIB / 2)}}]});
    for again in [
        format!(": {}\n", "x".repeat(MIB / 2)),
        format!("data: {thought}\n\n"),
    ] {
        let provider = Provider::start(vec![Reply::Endless(200, "text/event-stream", "", again)]).await;
        let models = models(kind("openai-compatible", &provider), AnswerFormat::Text);
        let state = action("start", &["greet"], json!([]));
        let graph = graph(&[state, action("end", &["part"], json!([]))], json!({}));
        let error = Talk::new(models, &[graph]).say("Hello").await.unwrap_err();
        assert_eq!(kind_of(&error), "cut off", "{error}");
        assert!(provider.taken() < 64 * MIB + ON_ITS_WAY, "{}", provider.taken());
    }
}
