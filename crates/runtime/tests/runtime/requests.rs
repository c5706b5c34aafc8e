//! What providers are asked, word for word.

use std::fmt::Write as _;

use forge_runtime::{AnswerFormat, ProviderKind};
use serde_json::{Value, json};

use crate::played::{Provider, Reply, models_as};
use crate::speech::{PROTOCOLS, kind};
use crate::talk::{Talk, action, graph};

/// Headers that are told to no provider of another protocol.
const HEADERS: [&str; 7] = [
    "authorization",
    "x-api-key",
    "x-goog-api-key",
    "anthropic-version",
    "content-type",
    "accept",
    "accept-encoding",
];

/// Asks a provider once for something, and returns what it was asked: the line and the headers, and the body without
/// the words of the prompt.
async fn asked(protocol: &str, model: &str, answer_format: AnswerFormat, params: &Value) -> Value {
    let provider = Provider::start(vec![Reply::status(400)]).await;
    // Only what there is a choice of is asked for in JSON.
    let actions: &[&str] = if answer_format == AnswerFormat::Text {
        &["greet"]
    } else {
        &["greet", "ask"]
    };
    let graph = graph(
        &[
            action("start", actions, json!([])),
            action("end", &["part"], json!([])),
        ],
        json!({}),
    );
    let models = models_as(model, kind(protocol, &provider), answer_format);
    let mut talk = Talk::new(models, &[graph]);
    let preference = json!({"llm_name": "acme_care", "params": params});
    talk.setup.models =
        serde_json::from_value(json!({"engage-user": preference, "select-action": preference})).unwrap();
    talk.say("").await.unwrap_err();
    let [seen] = &provider.requests()[..] else {
        panic!("one request");
    };
    let query = seen.query.as_ref().map(|query| format!("?{query}"));
    let headers = HEADERS.into_iter().filter_map(|name| {
        let value = seen.headers.get(name)?.to_str().unwrap();
        Some((name.to_owned(), json!(value)))
    });
    let mut body = seen.body.clone();
    without_prompt(&mut body);
    json!({"to": format!("{}{}", seen.path, query.unwrap_or_default()),
        "headers": headers.collect::<serde_json::Map<_, _>>(), "body": body})
}

/// Puts `…` in place of texts of more than a line.
fn without_prompt(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\n') => "…".clone_into(text),
        Value::Array(values) => values.iter_mut().for_each(without_prompt),
        Value::Object(fields) => fields.values_mut().for_each(without_prompt),
        _ => {}
    }
}

/// What is asked for, of which models.
fn cases() -> Vec<(&'static str, &'static str, AnswerFormat, Value)> {
    let plain = json!({});
    let sampling = json!({"temperature": 0.25, "top_p": 0.5, "seed": 7, "max_tokens": 99});
    let effort = |word: &str| json!({"reasoning_effort": word});
    let budget = json!({"thinking_budget": 2000});
    let others = json!({"top_k": 5, "stop": ["x"], "frequency_penalty": 1.5, "verbosity": "low"});
    let unusable = json!({"verbosity": "loud", "temperature": "hot", "max_tokens": -5});
    let mut cases = Vec::new();
    for protocol in PROTOCOLS {
        for params in [
            &plain,
            &sampling,
            &effort("high"),
            &effort("none"),
            &budget,
            &others,
            &unusable,
        ] {
            cases.push((protocol, "care-7b", AnswerFormat::Text, params.clone()));
        }
        cases.push((protocol, "care-7b", AnswerFormat::JsonObject, plain.clone()));
        cases.push((protocol, "care-7b", AnswerFormat::JsonSchema, plain.clone()));
    }
    for (protocol, model, params) in [
        ("openai-compatible", "gpt-5.6-mini", &sampling),
        ("openai-compatible", "care-max", &plain),
        ("anthropic", "claude-opus-4-5", &effort("max")),
        ("anthropic", "claude-opus-4-8", &effort("max")),
        ("anthropic", "claude-opus-4-8", &budget),
        ("anthropic", "claude-opus-5", &effort("none")),
        ("gemini", "gemini-3-flash", &effort("minimal")),
        ("gemini", "gemini-3-flash", &others),
        ("ollama", "library/qwen3:8b", &effort("xhigh")),
    ] {
        cases.push((protocol, model, AnswerFormat::JsonSchema, params.clone()));
    }
    cases
}

#[tokio::test]
async fn every_protocol_is_asked_word_for_word_as_it_is_written_down() {
    let mut page = String::new();
    for (protocol, model, answer_format, params) in cases() {
        let asked = asked(protocol, model, answer_format, &params).await;
        let [to, headers, body] = ["to", "headers", "body"].map(|part| &asked[part]);
        let _ = writeln!(page, "{protocol} {model} {answer_format:?} {params}");
        let _ = writeln!(page, "  {} {headers}\n  {body}\n", to.as_str().unwrap());
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/runtime/requests.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, page).unwrap();
    } else {
        let written = std::fs::read_to_string(path).unwrap();
        assert_eq!(written, page, "run with UPDATE_GOLDEN=1 to rewrite requests.txt");
    }
}

#[tokio::test]
async fn without_a_key_none_is_sent() {
    for protocol in PROTOCOLS {
        let provider = Provider::start(vec![Reply::status(400)]).await;
        let base_url = format!("http://{}/", provider.address);
        let kind = match protocol {
            "anthropic" => ProviderKind::Anthropic {
                base_url: Some(base_url),
                key: None,
            },
            "gemini" => ProviderKind::Gemini {
                base_url: Some(base_url),
                key: None,
            },
            "ollama" => kind(protocol, &provider),
            _ => ProviderKind::OpenAiCompatible { base_url, key: None },
        };
        let state = action("start", &["greet"], json!([]));
        let graph = graph(&[state, action("end", &["part"], json!([]))], json!({}));
        let mut talk = Talk::new(models_as("care-7b", kind, AnswerFormat::Text), &[graph]);
        talk.say("").await.unwrap_err();
        let headers = &provider.requests()[0].headers;
        for name in ["authorization", "x-api-key", "x-goog-api-key"] {
            assert_eq!(headers.get(name), None, "{protocol}");
        }
    }
}
