//! Turns of conversations: what the engine costs beside a model, and how much memory many of them take.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::serve::ListenerExt as _;
use forge_domain::conversation::{Message, MessageType, Position};
use forge_domain::model::{ModelPreference, ModelPreferences};
use forge_domain::{AgentId, ContextGraphId, InteractionId, MessageId, Timestamp, VersionNumber};
use forge_runtime::{
    AgentVersion, AnswerFormat, Ids, Incoming, Limits, ModelRoute, Models, Person, ProviderKind,
    ProviderSettings, Runtime, RuntimeError, Script, Setup, Tools, Turn,
};
use forge_testkit::load::{Figures, print_head, print_machine, seconds, server_runtime};
use futures_util::stream;
use serde_json::json;

/// How many conversations there are at once.
const CONVERSATIONS: usize = 1000;
/// How many messages were said in each before.
const SAID: usize = 20;

fn main() {
    print_machine();
    let runtime = server_runtime();
    runtime.block_on(memory());
    runtime.block_on(time());
}

/// Counts ids and milliseconds.
#[derive(Default)]
struct Counter(AtomicU64);

impl Ids for Counter {
    fn message_id(&self) -> Result<MessageId, RuntimeError> {
        let n = self.0.fetch_add(1, Ordering::Relaxed);
        Ok(MessageId::new(self.now(), n.to_be_bytes()))
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }
}

/// A conversation in the middle, which holds all that it runs on by itself.
struct Talk {
    setup: Setup,
    transcript: Vec<Message>,
    position: Position,
    ids: Counter,
}

impl Talk {
    fn new() -> Self {
        let version = VersionNumber::try_from(1).unwrap();
        let graph = (ContextGraphId::new(Timestamp::from_millis(0), [0; 8]), version);
        let document = include_str!("../../../examples/context_graph/v3.json");
        let agent = include_str!("../../../examples/agent/v1.json");
        let ids = Counter::default();
        let transcript = (0..SAID).map(|n| message(&ids, n)).collect();
        Self {
            setup: Setup {
                agent: AgentVersion {
                    id: AgentId::new(Timestamp::from_millis(0), [0; 8]),
                    version,
                    document: Arc::new(serde_json::from_str(agent).unwrap()),
                },
                graph,
                graphs: HashMap::from([(graph, Arc::new(serde_json::from_str(document).unwrap()))]),
                models: ModelPreferences::new(),
            },
            transcript,
            position: Position::default(),
            ids,
        }
    }

    async fn interact(&self, runtime: &Runtime) {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(32);
        let person = Person::default();
        let turn = Turn {
            setup: &self.setup,
            person: &person,
            behaviors: &[],
            transcript: &self.transcript,
            position: self.position.clone(),
            interaction_id: interaction(),
            incoming: vec![Incoming {
                id: self.ids.message_id().unwrap(),
                message_type: MessageType::UserMessage,
                message: "And what about next week?".to_owned(),
                created_at: self.ids.now(),
            }],
            ids: &self.ids,
        };
        let listen = async { while receiver.recv().await.is_some() {} };
        let interact = async {
            let outcome = runtime.interact(turn, &sender).await.unwrap();
            assert!(outcome.agent_message().is_some());
            drop(sender);
        };
        tokio::join!(listen, interact);
    }
}

fn interaction() -> InteractionId {
    InteractionId::new(Timestamp::from_millis(0), [0; 8])
}

fn message(ids: &Counter, n: usize) -> Message {
    let is_user = n.is_multiple_of(2);
    Message {
        id: ids.message_id().unwrap(),
        interaction_id: interaction(),
        created_at: ids.now(),
        sender: if is_user { "Robin" } else { "Mira" }.to_owned(),
        message: format!("Message number {n} says something of about this length, as people and agents do."),
        message_type: if is_user {
            MessageType::UserMessage
        } else {
            MessageType::AgentMessage
        },
    }
}

/// Returns models that answer from a script, each call after so many milliseconds.
fn scripted(delay_ms: u64) -> Models {
    let script = json!({"rules": [
        {"interaction": "evaluate-exit-conditions", "choose": "none", "delay_ms": delay_ms},
        {"interaction": "select-action", "choose": "first", "delay_ms": delay_ms},
        {"interaction": "engage-user", "answer": ANSWER, "delay_ms": delay_ms},
    ]});
    Models::scripted(Script::from_json(&script.to_string()).unwrap())
}

const ANSWER: &str = "The practice is open next week as always; which day would suit you best for the visit?";

fn runtime(models: Models) -> Runtime {
    Runtime::new(models, Tools::default(), Limits::default())
}

/// Has many conversations wait for their models at once, and prints what the process takes then.
async fn memory() {
    let before = resident();
    let runtime = Arc::new(runtime(scripted(2000)));
    let turns: Vec<_> = (0..CONVERSATIONS)
        .map(|_| {
            let runtime = Arc::clone(&runtime);
            tokio::spawn(async move { Talk::new().interact(&runtime).await })
        })
        .collect();
    let mut most = before;
    while turns.iter().any(|turn| !turn.is_finished()) {
        most = most.max(resident());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for turn in turns {
        turn.await.unwrap();
    }
    println!("\n{CONVERSATIONS} conversations at once: {most} MB resident, {before} MB before");
}

/// Returns how many megabytes the process has in memory.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

/// Takes one turn after the other, beside raw calls of a provider.
async fn time() {
    let talk = Talk::new();
    print_head(&format!("one conversation, {SAID} messages"));
    let scripted = runtime(scripted(0));
    measure(async || talk.interact(&scripted).await)
        .await
        .print("turn, scripted: 3 calls of models", None);
    let provider = provider().await;
    let client = reqwest::Client::new();
    let request =
        json!({"model": "m", "stream": true, "messages": [{"role": "user", "content": "x".repeat(8000)}]});
    let raw = measure(async || {
        let url = format!("http://{provider}/v1/chat/completions");
        let answer = client
            .post(url)
            .header("content-type", "application/json")
            .body(request.to_string());
        let answer = answer.send().await.unwrap().text().await.unwrap();
        assert!(answer.ends_with("[DONE]\n\n"));
    })
    .await;
    raw.print("raw call of a provider on the loopback", None);
    let hosted = runtime(hosted(provider));
    // In the terminal state there is nothing to find out: one call of a model, and the engine around it.
    let mut talk = Talk::new();
    let graph = &talk.setup.graphs[&talk.setup.graph];
    let state = graph.terminal_state.clone();
    talk.position.frames = vec![forge_domain::conversation::Frame {
        graph: talk.setup.graph,
        state,
    }];
    measure(async || talk.interact(&hosted).await)
        .await
        .print("turn, the same provider: 1 call of a model", Some(&raw));
}

async fn measure(mut work: impl AsyncFnMut()) -> Figures {
    let until = Instant::now() + seconds() / 10;
    while Instant::now() < until {
        work().await;
    }
    let (began, mut latencies) = (Instant::now(), Vec::new());
    while began.elapsed() < seconds() {
        let call = Instant::now();
        work().await;
        latencies.push(call.elapsed());
    }
    Figures::new(latencies, began.elapsed())
}

fn hosted(address: SocketAddr) -> Models {
    let provider = ProviderSettings {
        name: "played".to_owned(),
        kind: ProviderKind::OpenAiCompatible {
            base_url: format!("http://{address}/v1/"),
            key: None,
        },
        answer_format: AnswerFormat::Text,
        swallowed_mark: None,
    };
    let route = ModelRoute {
        model: "m".to_owned(),
        provider: "played".to_owned(),
        provider_model: "m".to_owned(),
    };
    let default = ModelPreference {
        llm_name: "m".to_owned(),
        params: serde_json::Map::new(),
    };
    Models::new(vec![provider], vec![route], Some(default)).unwrap()
}

/// Serves a model that streams the same answer word by word, without thinking about it.
async fn provider() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // Or else small pieces wait for each other.
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    let router = Router::new().fallback(async |_: Bytes| {
        let chunk = |word: &str| json!({"choices": [{"index": 0, "delta": {"content": word}}]});
        let lines = ANSWER
            .split_inclusive(' ')
            .map(|word| format!("data: {}\n\n", chunk(word)));
        let lines: Vec<_> = lines
            .chain(["data: [DONE]\n\n".to_owned()])
            .map(|line| Ok::<_, Infallible>(Bytes::from(line)))
            .collect();
        let body = Body::from_stream(stream::iter(lines));
        Response::builder()
            .header("content-type", "text/event-stream")
            .body(body)
            .unwrap()
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}
