//! Models behind HTTP, as OpenAI and others serve them.

use std::time::Duration;

use forge_runtime::{AnswerFormat, Event, Limits, Models, ProviderKind, RuntimeError};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::played::{KEY, Provider, Reply, models};
use crate::talk::{Talk, Told, action, graph};

fn simple() -> Value {
    graph(
        &[
            action("start", &["greet"], json!([])),
            action("end", &["part"], json!([])),
        ],
        json!({}),
    )
}

fn pieces(pieces: &[&str], pause_ms: u64) -> Reply {
    Reply::Pieces(
        pieces.iter().map(|&piece| piece.to_owned()).collect(),
        Duration::from_millis(pause_ms),
    )
}

async fn talk(replies: Vec<Reply>) -> (Provider, Talk) {
    let provider = Provider::start(replies).await;
    let talk = Talk::new(provider.models(), &[simple()]);
    (provider, talk)
}

fn errors(told: &Told) -> Vec<Option<&str>> {
    told.insights
        .model_calls
        .iter()
        .map(|call| call.error.as_deref())
        .collect()
}

fn reason(error: RuntimeError) -> String {
    match error {
        RuntimeError::Unavailable { reason, .. }
        | RuntimeError::Refused { reason, .. }
        | RuntimeError::CutOff { reason, .. }
        | RuntimeError::Setup { reason, .. } => reason,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn an_answer_is_streamed_with_the_key_in_the_header_and_the_parameters_in_the_body() {
    let (provider, mut talk) = talk(vec![pieces(&["Go\0od", " morning", ". "], 0)]).await;
    talk.setup.models = serde_json::from_value(json!({"engage-user": {"llm_name": "acme_care",
        "params": {"temperature": 0.25, "top_p": 0.5, "seed": 7, "max_tokens": 99, "frequency_penalty": 1.5}}}))
    .unwrap();
    let told = talk.say("Hello").await.unwrap();
    assert_eq!(told.pieces, ["Good", " morning", ".", ""]);
    let [call] = told.insights.model_calls.as_slice() else {
        panic!("{:?}", told.insights.model_calls);
    };
    assert_eq!(
        (call.provider.as_str(), call.model.as_str(), call.is_scripted),
        ("played", "acme_care", false)
    );
    assert_eq!((call.prompt_tokens, call.completion_tokens), (Some(30), Some(4)));
    let [seen] = &provider.requests()[..] else {
        panic!("one request");
    };
    assert_eq!(seen.path, "/v1/chat/completions");
    assert_eq!(seen.headers["authorization"], format!("Bearer {KEY}"));
    for (name, value) in [
        ("model", json!("care-7b")),
        ("stream", json!(true)),
        ("temperature", json!(0.25)),
        ("top_p", json!(0.5)),
        ("seed", json!(7)),
        ("max_tokens", json!(99)),
        ("frequency_penalty", json!(1.5)),
    ] {
        assert_eq!(seen.body[name], value, "{name}");
    }
    assert!(!format!("{:?}", talk.runtime).contains(KEY));
}

#[tokio::test]
async fn pieces_are_told_while_the_model_is_still_writing() {
    let (_provider, talk) = talk(vec![pieces(&["One", " two", " three"], 200)]).await;
    let (sender, mut receiver) = tokio::sync::mpsc::channel(100);
    let listen = async {
        while let Some(event) = receiver.recv().await {
            if matches!(event, Event::Piece { .. }) {
                return Instant::now();
            }
        }
        panic!("no piece");
    };
    let interact = async {
        talk.interact("Hello", &sender).await.unwrap();
        Instant::now()
    };
    let (first, last) = tokio::join!(listen, interact);
    assert!(last - first > Duration::from_millis(300), "{:?}", last - first);
}

#[tokio::test]
async fn a_call_is_repeated_while_the_provider_is_busy() {
    let retry_at_once = Reply::Status(429, vec![("retry-after", "0".to_owned())], String::new());
    let (provider, mut talk) = talk(vec![retry_at_once.clone(), retry_at_once, Reply::text("Hello.")]).await;
    let told = talk.say("Hello").await.unwrap();
    assert_eq!(told.message, "Hello.");
    let busy = Some("the provider answered with status 429");
    assert_eq!(errors(&told), [busy, busy, None]);
    assert_eq!(provider.requests().len(), 3);
}

#[tokio::test]
async fn what_will_not_get_better_is_not_repeated_and_nobody_is_told_the_body() {
    for status in [400, 401, 404] {
        let (provider, mut talk) = talk(vec![Reply::status(status)]).await;
        let error = talk.say("Hello").await.unwrap_err();
        assert!(!error.to_string().contains("secrets"));
        assert_eq!(
            reason(error),
            format!("the provider answered with status {status}")
        );
        assert_eq!(provider.requests().len(), 1);
    }
    let patience = Reply::Status(503, vec![("retry-after", "3600".to_owned())], String::new());
    let (provider, mut talk) = talk(vec![patience]).await;
    assert_eq!(
        reason(talk.say("Hello").await.unwrap_err()),
        "the provider answered with status 503"
    );
    assert_eq!(provider.requests().len(), 1, "an hour is too long to wait");
}

#[tokio::test]
async fn a_message_that_somebody_heard_is_not_begun_again() {
    let (provider, mut talk) = talk(vec![Reply::BreaksOff(vec!["Good".to_owned()])]).await;
    reason(talk.say("Hello").await.unwrap_err());
    assert_eq!(provider.requests().len(), 1);
}

#[tokio::test]
async fn a_provider_that_says_nothing_is_given_up() {
    let provider = Provider::start(vec![Reply::Hangs]).await;
    let limits = Limits {
        model_call_time: Duration::from_millis(100),
        retries: 0,
        ..Limits::default()
    };
    let mut talk = Talk::new(Models::default(), &[simple()]).with_limits(provider.models(), limits);
    assert_eq!(
        reason(talk.say("Hello").await.unwrap_err()),
        "no complete answer within 0.1 seconds"
    );
}

#[tokio::test]
async fn a_provider_that_keeps_failing_is_left_alone() {
    let limits = Limits {
        retries: 0,
        ..Limits::default()
    };
    let provider = Provider::start(vec![Reply::status(500)]).await;
    let mut talk = Talk::new(Models::default(), &[simple()]).with_limits(provider.models(), limits);
    for _ in 0..5 {
        assert_eq!(
            reason(talk.say("Hello").await.unwrap_err()),
            "the provider answered with status 500"
        );
    }
    let error = reason(talk.say("Hello").await.unwrap_err());
    assert_eq!(
        error,
        "the provider failed with this model several times in a row and is left alone for a while"
    );
    assert_eq!(provider.requests().len(), 5);
}

/// Fails unless six answers in a row take too long, and the next one is heard all the same.
async fn assert_slow_six_times(provider: &Provider, limits: Limits) {
    let mut talk = Talk::new(Models::default(), &[simple()]).with_limits(provider.models(), limits);
    for _ in 0..6 {
        assert_eq!(
            reason(talk.say("Hello").await.unwrap_err()),
            "no complete answer within 0.1 seconds"
        );
    }
    talk.say("Hello").await.unwrap();
}

#[tokio::test]
async fn a_provider_that_is_still_answering_is_not_left_alone() {
    let limits = Limits {
        model_call_time: Duration::from_millis(100),
        retries: 0,
        ..Limits::default()
    };
    // Nobody but this conversation is to suffer from an answer that takes long.
    let mut replies = vec![pieces(&["Well, ", "I am ", "thinking."], 60); 6];
    replies.push(Reply::text("Hi."));
    let provider = Provider::start(replies).await;
    assert_slow_six_times(&provider, limits).await;
}

#[tokio::test]
async fn a_model_that_thinks_in_silence_is_called_once_and_not_left_alone() {
    let limits = Limits {
        model_call_time: Duration::from_millis(100),
        ..Limits::default()
    };
    let mut replies = vec![Reply::Stalls(200, ": keep-alive\n\n"); 6];
    replies.push(Reply::text("Hi."));
    let provider = Provider::start(replies).await;
    assert_slow_six_times(&provider, limits).await;
    assert_eq!(provider.requests().len(), 7);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Provider::start(vec![Reply::text("Give me your key.")]).await;
    let to = Reply::Status(
        307,
        vec![("location", format!("http://{}/", elsewhere.address))],
        String::new(),
    );
    let (_provider, mut talk) = talk(vec![to]).await;
    assert_eq!(
        reason(talk.say("Hello").await.unwrap_err()),
        "the provider answered with status 307"
    );
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let provider = Provider::start(vec![Reply::text(&"so ".repeat(1000))]).await;
    let limits = Limits {
        answer_bytes: 1000,
        ..Limits::default()
    };
    let mut talk = Talk::new(Models::default(), &[simple()]).with_limits(provider.models(), limits);
    assert_eq!(
        reason(talk.say("Hello").await.unwrap_err()),
        "the answer is longer than 1000 bytes"
    );
}

#[tokio::test]
async fn a_cancelled_turn_hangs_up_on_the_provider() {
    let (provider, talk) = talk(vec![pieces(&["One", " two"], 60_000)]).await;
    let (sender, _receiver) = tokio::sync::mpsc::channel(100);
    let given_up = tokio::time::timeout(Duration::from_millis(300), talk.interact("Hello", &sender)).await;
    assert!(given_up.is_err());
    assert_eq!(provider.requests().len(), 1);
}

#[tokio::test]
async fn other_protocols_are_spoken_at_their_own_paths_with_their_own_headers() {
    for (kind, path, header) in [
        ("anthropic", "/v1/messages", Some("x-api-key")),
        (
            "gemini",
            "/v1beta/models/care-7b:streamGenerateContent",
            Some("x-goog-api-key"),
        ),
        ("ollama", "/api/chat", None),
    ] {
        let provider = Provider::start(vec![Reply::status(400)]).await;
        let key = Some(KEY.to_owned());
        let url = |path: &str| format!("http://{}{path}", provider.address);
        let kind = match kind {
            "anthropic" => ProviderKind::Anthropic {
                base_url: Some(url("/v1")),
                key,
            },
            "gemini" => ProviderKind::Gemini {
                base_url: Some(url("/v1beta/")),
                key,
            },
            _ => ProviderKind::Ollama {
                base_url: Some(url("/")),
            },
        };
        let mut talk = Talk::new(models(kind, AnswerFormat::JsonSchema), &[simple()]);
        talk.setup.models = serde_json::from_value(
            json!({"engage-user": {"llm_name": "acme_care", "params": {"top_k": 5, "temperature": 0.5}}}),
        )
        .unwrap();
        talk.say("Hello").await.unwrap_err();
        let [seen] = &provider.requests()[..] else {
            panic!("one request");
        };
        assert_eq!(seen.path, path);
        if let Some(header) = header {
            assert_eq!(seen.headers[header], KEY, "{path}");
        }
        let body = seen.body.to_string();
        assert!(
            body.contains("0.5")
                && (header.is_none() || body.contains("\"top_k\":5") || body.contains("\"topK\":5")),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_provider_is_asked_to_hold_its_model_to_the_form_of_an_answer() {
    let mut graph = simple();
    graph["states"][0]["actions"] = json!(["greet", "ask"]);
    let schema = json!({"type": "object", "properties": {"choice": {"type": "integer", "enum": [1, 2]}},
        "required": ["choice"], "additionalProperties": false});
    for (answer_format, expected) in [
        (AnswerFormat::Text, Value::Null),
        (
            AnswerFormat::JsonObject,
            json!({"type": "json_object", "schema": schema}),
        ),
        (
            AnswerFormat::JsonSchema,
            json!({"type": "json_schema", "json_schema": {"name": "answer", "strict": true, "schema": schema}}),
        ),
    ] {
        let provider = Provider::start(vec![Reply::text("{\"choice\": 2}"), Reply::text("Hello.")]).await;
        let mut talk = Talk::new(provider.models_with(answer_format), &[graph.clone()]);
        talk.say("").await.unwrap();
        let forms: Vec<Value> = provider
            .requests()
            .iter()
            .map(|request| request.body["response_format"].clone())
            .collect();
        assert_eq!(forms, [expected, Value::Null], "a message has no form");
    }
}

#[tokio::test]
async fn a_stream_that_is_closed_before_its_end_is_no_answer() {
    let chunk = |reason: Value| json!({"choices": [{"index": 0, "delta": {"content": "Good"}, "finish_reason": reason}]});
    let candidate = |reason: Value| {
        let content = json!({"role": "model", "parts": [{"text": "Good"}]});
        json!({"candidates": [{"content": content, "finishReason": reason, "index": 0}]})
    };
    let filtered = "the provider's filter of contents stopped the answer";
    for (is_gemini, data, told) in [
        (
            false,
            format!("data: {}\n\n", chunk(Value::Null)),
            "the answer broke off",
        ),
        (
            false,
            format!("data: {}\n\ndata: [DONE]\n\n", chunk(json!("content_filter"))),
            filtered,
        ),
        (
            true,
            format!("data: {}\n\n", candidate(Value::Null)),
            "the answer broke off",
        ),
        (
            true,
            format!("data: {}\n\n", candidate(json!("SAFETY"))),
            filtered,
        ),
    ] {
        let headers = vec![("content-type", "text/event-stream".to_owned())];
        let provider = Provider::start(vec![Reply::Status(200, headers, data)]).await;
        let base_url = format!("http://{}/", provider.address);
        let kind = if is_gemini {
            ProviderKind::Gemini {
                base_url: Some(base_url),
                key: None,
            }
        } else {
            ProviderKind::OpenAiCompatible { base_url, key: None }
        };
        let mut talk = Talk::new(models(kind, AnswerFormat::Text), &[simple()]);
        assert_eq!(reason(talk.say("Hello").await.unwrap_err()), told);
    }
}
