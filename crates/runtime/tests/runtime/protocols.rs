//! What providers say in their protocols, and what it means.

use forge_runtime::{AnswerFormat, Limits, Models, RuntimeError};
use serde_json::json;

use crate::played::{Provider, Reply, models};
use crate::speech::{PROTOCOLS, frames_of, kind, speech};
use crate::talk::{Talk, Told, action, graph};

pub(crate) async fn talk(protocol: &str, replies: Vec<Reply>) -> (Provider, Talk) {
    let provider = Provider::start(replies).await;
    let models = models(kind(protocol, &provider), AnswerFormat::Text);
    let graph = graph(
        &[
            action("start", &["greet"], json!([])),
            action("end", &["part"], json!([])),
        ],
        json!({}),
    );
    // Nothing is repeated that need not be.
    let limits = Limits {
        retries: 1,
        ..Limits::default()
    };
    (
        provider,
        Talk::new(Models::default(), &[graph]).with_limits(models, limits),
    )
}

/// Returns the rows of a table of the page about models, which begins with these words.
fn rows(beginning: &str) -> Vec<Vec<String>> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/models.md")).unwrap();
    let table = page
        .lines()
        .skip_while(|line| !line.starts_with(beginning))
        .skip(2);
    let rows = table.take_while(|line| line.starts_with('|')).map(|line| {
        // A bar inside a cell has a stroke before it.
        let line = line.replace("\\|", "\u{1}");
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().replace('\u{1}', "|")).collect()
    });
    let rows: Vec<Vec<String>> = rows.collect();
    assert!(rows.len() > 5, "{rows:?}");
    rows
}

fn code(cell: &str) -> &str {
    cell.trim().trim_matches('`')
}

pub(crate) fn kind_of(error: &RuntimeError) -> &'static str {
    match error {
        RuntimeError::Unavailable { .. } => "unavailable",
        RuntimeError::Refused { .. } => "refused",
        RuntimeError::CutOff { .. } => "cut off",
        RuntimeError::Setup { .. } => "setup",
        RuntimeError::Unusable { .. } => "unusable",
        other => panic!("{other}"),
    }
}

fn errors(told: &Told) -> Vec<Option<&str>> {
    let calls = told.insights.model_calls.iter();
    calls.map(|call| call.error.as_deref()).collect()
}

#[tokio::test]
async fn every_reason_to_stop_means_what_the_page_says() {
    let mut seen = std::collections::BTreeSet::new();
    for row in rows("| protocol | reason to stop") {
        let [protocol, reasons, meaning] = &row[..] else {
            panic!("{row:?}");
        };
        let protocol = code(protocol);
        seen.insert(protocol.to_owned());
        for reason in reasons.split(',').map(code) {
            let reply = speech(protocol, "", &["Take two", " tablets."], reason);
            let (provider, mut talk) = talk(protocol, vec![reply]).await;
            let result = talk.say("How many?").await;
            let expected = match meaning.as_str() {
                "the answer is whole" => {
                    let told = result.unwrap();
                    assert_eq!(told.pieces, ["Take two", " tablets.", ""], "{protocol} {reason}");
                    assert_eq!(errors(&told), [None]);
                    let call = &told.insights.model_calls[0];
                    let tokens = (call.prompt_tokens, call.completion_tokens);
                    assert_eq!(tokens, (Some(30), Some(4)), "{protocol} {reason}");
                    continue;
                }
                "cut off by a limit of tokens" | "not known to be whole" => "cut off",
                "refused" => "refused",
                other => panic!("{other}"),
            };
            let error = result.unwrap_err();
            assert_eq!(kind_of(&error), expected, "{protocol} {reason}: {error}");
            assert_eq!(
                provider.requests().len(),
                1,
                "{protocol} {reason} is not repeated"
            );
            assert!(talk.transcript.is_empty());
        }
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>().len(), PROTOCOLS.len());
}

#[tokio::test]
async fn every_mark_of_the_page_keeps_thoughts_from_being_told() {
    for row in rows("| a thought begins with") {
        let [open, close, _] = &row[..] else {
            panic!("{row:?}");
        };
        let (open, close) = (code(open), code(close));
        let rest = if close == "<|channel|>final" {
            "<|message|>"
        } else {
            ""
        };
        let text = format!("{open}secret plan\n{close}{rest}\n\nHi, Robin.");
        for (protocol, size) in PROTOCOLS.into_iter().zip([1, 3, 8, 1000]) {
            let characters: Vec<char> = text.chars().collect();
            let pieces: Vec<String> = characters
                .chunks(size)
                .map(|piece| piece.iter().collect())
                .collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            let reply = speech(protocol, "", &pieces, whole(protocol));
            let (_provider, mut talk) = talk(protocol, vec![reply]).await;
            let told = talk.say("Hello").await.unwrap();
            assert_eq!(told.message, "Hi, Robin.", "{protocol} {open} {size}");
        }
    }
}

/// Returns the reason of an answer that is whole.
pub(crate) fn whole(protocol: &str) -> &'static str {
    match protocol {
        "anthropic" => "end_turn",
        "gemini" => "STOP",
        _ => "stop",
    }
}

fn limit(protocol: &str) -> &'static str {
    match protocol {
        "anthropic" => "max_tokens",
        "gemini" => "MAX_TOKENS",
        _ => "length",
    }
}

#[tokio::test]
async fn thoughts_in_a_field_of_their_own_are_not_told() {
    for protocol in PROTOCOLS {
        let reply = speech(protocol, "secret plan", &["Hi,", " Robin."], whole(protocol));
        let (_provider, mut talk) = talk(protocol, vec![reply]).await;
        let told = talk.say("Hello").await.unwrap();
        assert_eq!(told.pieces, ["Hi,", " Robin.", ""], "{protocol}");
    }
}

#[tokio::test]
async fn whoever_is_still_thinking_at_the_limit_of_tokens_is_asked_once() {
    for protocol in PROTOCOLS {
        for (thoughts, pieces) in [("hm", &[][..]), ("", &["<think>", "hm"][..])] {
            let (provider, mut talk) = talk(
                protocol,
                vec![speech(protocol, thoughts, pieces, limit(protocol))],
            )
            .await;
            let error = talk.say("Hello").await.unwrap_err();
            let is_said = !thoughts.is_empty() && error.to_string().contains("still thinking");
            assert!(is_said || thoughts.is_empty(), "{protocol}: {error}");
            assert_eq!(
                (kind_of(&error), provider.requests().len()),
                ("cut off", 1),
                "{protocol}"
            );
        }
    }
}

#[tokio::test]
async fn a_prompt_that_is_refused_is_nobody_elses_trouble() {
    let blocked = json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 3}});
    let refusal =
        json!({"choices": [{"index": 0, "delta": {"refusal": "I cannot."}, "finish_reason": null}]});
    let stop = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    let too_long = json!({"error": {"code": "context_length_exceeded", "type": "invalid_request_error"}});
    let in_stream = |value: &serde_json::Value| format!("data: {value}");
    for (protocol, reply) in [
        ("gemini", frames_of("gemini", vec![in_stream(&blocked)])),
        (
            "openai-compatible",
            frames_of("openai-compatible", vec![in_stream(&refusal), in_stream(&stop)]),
        ),
        (
            "openai-compatible",
            frames_of("openai-compatible", vec![in_stream(&too_long)]),
        ),
        (
            "openai-compatible",
            Reply::Status(400, Vec::new(), too_long.to_string()),
        ),
        ("ollama", Reply::status(400)),
        ("anthropic", Reply::status(413)),
    ] {
        let mut replies = vec![reply; 6];
        replies.push(speech(protocol, "", &["Hi."], whole(protocol)));
        let (provider, mut talk) = talk(protocol, replies).await;
        for calls in 1..=6 {
            let error = talk.say("Something bad").await.unwrap_err();
            assert_eq!(kind_of(&error), "refused", "{protocol}: {error}");
            assert_eq!(provider.requests().len(), calls, "{protocol}: {error}");
        }
        assert_eq!(talk.say("Hello").await.unwrap().message, "Hi.", "{protocol}");
    }
}

#[tokio::test]
async fn a_key_or_an_address_that_is_wrong_is_told_as_the_operators_matter() {
    let wrong_key = json!([{"error": {"code": 400, "status": "INVALID_ARGUMENT",
        "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]}}]);
    for (protocol, reply) in [
        ("openai-compatible", Reply::status(401)),
        ("anthropic", Reply::status(403)),
        ("ollama", Reply::status(404)),
        ("gemini", Reply::Status(400, Vec::new(), wrong_key.to_string())),
    ] {
        let (provider, mut talk) = talk(protocol, vec![reply]).await;
        let error = talk.say("Hello").await.unwrap_err();
        assert_eq!(
            (kind_of(&error), provider.requests().len()),
            ("setup", 1),
            "{protocol}"
        );
        let text = error.to_string();
        assert!(
            text.contains("its operator has to look") && !text.contains("secrets"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn an_error_of_a_busy_provider_in_a_stream_is_waited_out() {
    let busy = |protocol: &str, error: serde_json::Value| {
        let error = json!({"type": "error", "error": error});
        let frame = match protocol {
            "ollama" => error.to_string(),
            _ => format!("event: error\ndata: {error}"),
        };
        frames_of(protocol, vec![frame])
    };
    for (protocol, error) in [
        (
            "anthropic",
            json!({"type": "overloaded_error", "message": "secrets"}),
        ),
        ("openai-compatible", json!({"code": 502, "message": "secrets"})),
        (
            "gemini",
            json!({"code": 503, "status": "UNAVAILABLE", "details": [{"retryDelay": "0s"}]}),
        ),
        (
            "ollama",
            json!("an error was encountered while running the model"),
        ),
    ] {
        let good = speech(protocol, "", &["Hi."], whole(protocol));
        let (provider, mut talk) = talk(protocol, vec![busy(protocol, error), good]).await;
        let told = talk.say("Hello").await.unwrap();
        assert_eq!(
            (told.message.as_str(), provider.requests().len()),
            ("Hi.", 2),
            "{protocol}"
        );
        assert!(
            errors(&told)[0]
                .unwrap()
                .starts_with("the provider told of an error"),
            "{protocol}"
        );
    }
}

#[tokio::test]
async fn a_provider_is_left_alone_for_as_long_as_it_says() {
    let header = |name: &'static str, value: &str| (name, value.to_owned());
    let at = |time: &str| {
        let date = header("date", "Fri, 27 Nov 2026 08:00:00 GMT");
        Reply::Status(429, vec![date, header("retry-after", time)], String::new())
    };
    let delay = |delay: &str| {
        let details = json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]);
        let body = json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": details}});
        Reply::Status(429, Vec::new(), body.to_string())
    };
    for (protocol, reply, calls) in [
        ("openai-compatible", at("Fri, 27 Nov 2026 08:00:00 GMT"), 2),
        ("openai-compatible", at("Fri, 27 Nov 2026 09:00:00 GMT"), 1),
        ("gemini", delay("0.01s"), 2),
        ("gemini", delay("34.074824224s"), 1),
    ] {
        let (provider, mut talk) = talk(protocol, vec![reply]).await;
        let error = talk.say("Hello").await.unwrap_err();
        assert_eq!(
            (kind_of(&error), provider.requests().len()),
            ("unavailable", calls),
            "{error}"
        );
    }
}

#[tokio::test]
async fn what_keeps_a_connection_alive_is_passed_over() {
    for protocol in PROTOCOLS {
        let Reply::Frames(content_type, frames, pause) =
            speech(protocol, "", &["Hi,", " Robin."], whole(protocol))
        else {
            panic!("frames");
        };
        let keep_alive = if protocol == "ollama" {
            "\n: keepalive\n"
        } else {
            ": ping\n\ndata: : keepalive\n\n"
        };
        let frames = frames
            .into_iter()
            .map(|frame| format!("{keep_alive}{frame}"))
            .collect();
        let (_provider, mut talk) = talk(protocol, vec![Reply::Frames(content_type, frames, pause)]).await;
        let told = talk.say("Hello").await.unwrap();
        assert_eq!(told.message, "Hi, Robin.", "{protocol}");
    }
}

#[tokio::test]
async fn control_characters_reach_nobody() {
    for protocol in PROTOCOLS {
        let reply = speech(
            protocol,
            "",
            &["Go\0od", " \u{1b}[31mmorning\u{9b}.\n"],
            whole(protocol),
        );
        let (_provider, mut talk) = talk(protocol, vec![reply]).await;
        assert_eq!(
            talk.say("Hello").await.unwrap().message,
            "Good [31mmorning.",
            "{protocol}"
        );
    }
}

#[tokio::test]
async fn what_nobody_sees_before_a_frame_does_not_hide_it() {
    for protocol in PROTOCOLS {
        for mark in ["\u{feff}", "\u{feff}\u{feff}"] {
            let Reply::Frames(content_type, frames, pause) =
                speech(protocol, "", &["Do not", " take two."], whole(protocol))
            else {
                panic!("frames");
            };
            let frames = frames.into_iter().map(|frame| format!("{mark}{frame}")).collect();
            let (_provider, mut talk) =
                talk(protocol, vec![Reply::Frames(content_type, frames, pause)]).await;
            let told = talk.say("Hello").await.unwrap();
            assert_eq!(told.message, "Do not take two.", "{protocol}");
        }
    }
}

#[tokio::test]
async fn what_hides_a_frame_ends_the_call() {
    for protocol in PROTOCOLS {
        let speech = speech(protocol, "", &["Do not", " take two."], whole(protocol));
        let Reply::Frames(content_type, frames, pause) = speech else {
            panic!("frames");
        };
        for (seen, hidden) in [("{", "\u{200b}{"), ("data:", "\u{200b}data:")] {
            let hide = |frame: &String| {
                if frame.contains("Do not") {
                    frame.replacen(seen, hidden, 1)
                } else {
                    frame.clone()
                }
            };
            let hidden: Vec<String> = frames.iter().map(hide).collect();
            if hidden == frames {
                continue;
            }
            let reply = Reply::Frames(content_type, hidden, pause);
            let (_provider, mut talk) = talk(protocol, vec![reply]).await;
            let error = talk.say("Hello").await.unwrap_err();
            assert_eq!(
                kind_of(&error),
                "setup",
                "{protocol}: a part of an answer is none"
            );
        }
    }
}

#[tokio::test]
async fn thoughts_in_another_dress_are_not_told_either() {
    for text in [
        "```\n<think>secret plan</think>\n```\nHi, Robin.",
        "<think >secret plan</think>Hi, Robin.",
        "<think mode=\"deep\">secret plan</think >Hi, Robin.",
        "<THINK>secret plan</Think>Hi, Robin.",
        "<reflection>secret plan</reflection>Hi, Robin.",
        "<|channel|>analysis<|message|>secret plan<|end|><|start|>assistant<|channel|>final<|message|>Hi, Robin.",
        "analysisA secret plan.assistantfinalHi, Robin.",
    ] {
        for (protocol, size) in PROTOCOLS.into_iter().zip([1, 4, 9, 1000]) {
            let characters: Vec<char> = text.chars().collect();
            let pieces: Vec<String> = characters
                .chunks(size)
                .map(|piece| piece.iter().collect())
                .collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            let reply = speech(protocol, "", &pieces, whole(protocol));
            let (_provider, mut talk) = talk(protocol, vec![reply]).await;
            let told = talk.say("Hello").await.unwrap();
            assert_eq!(told.message, "Hi, Robin.", "{protocol} {text}");
        }
    }
}

#[tokio::test]
async fn an_error_that_comes_without_a_stream_is_one_all_the_same() {
    let error = json!({"error": {"type": "authentication_error", "message": "secrets"}});
    for protocol in PROTOCOLS {
        let reply = Reply::Status(200, Vec::new(), error.to_string());
        let (_provider, mut talk) = talk(protocol, vec![reply]).await;
        let told = talk.say("Hello").await.unwrap_err();
        assert_eq!(kind_of(&told), "setup", "{protocol}: {told}");
        assert!(!told.to_string().contains("secrets"), "{told}");
    }
}
