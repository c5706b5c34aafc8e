//! `forge serve` with providers and tools out of `forge.toml`, played by servers of the test.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use forge_testkit::{Engine, KNOWN_TOOL, TestDatabase, agent_version, record, service_body};
use serde_json::{Value, json};

use crate::process::{Serving, forge, init, location, one_line_error};
use crate::serve::sign_in;

const KEY: &str = "sk-a-key-of-the-provider";
const TOOL_TOKEN: &str = "a-token-of-the-tool";
const SAID: &str = "My name is Robin Goodfellow.";

/// A server that gives every request the same answer and remembers what it was asked.
struct Played {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Played {
    fn start(content_type: &'static str, body: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let request = answer(stream.unwrap(), content_type, &body);
                seen.lock().unwrap().push(request);
            }
        });
        Self { address, requests }
    }

    /// Returns the only request that came, head and body.
    fn request(&self) -> String {
        let requests = self.requests.lock().unwrap();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests[0].clone()
    }
}

fn answer(mut stream: TcpStream, content_type: &str, body: &str) -> String {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        reader.read_line(&mut request).unwrap();
    }
    let length = request.to_ascii_lowercase().lines().find_map(|line| {
        let value = line.strip_prefix("content-length:")?;
        value.trim().parse::<usize>().ok()
    });
    let mut sent = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut sent).unwrap();
    request.push_str(&String::from_utf8(sent).unwrap());
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    request
}

/// Returns what a provider streams.
fn streamed(text: &str) -> String {
    let chunk = json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": "stop"}]});
    format!("data: {chunk}\n\ndata: [DONE]\n\n")
}

fn graph() -> Value {
    let state = |name: &str, specs: Value| {
        json!({"type": "action", "name": name, "objective": "o", "actions": ["greet"],
            "intra_state_navigation_guidelines": [], "action_guidelines": [], "boundary_constraints": [],
            "exit_conditions": [], "action_tool_call_specs": specs, "exit_condition_tool_call_specs": [],
            "skip_active_memory_retrieval": true})
    };
    let spec = json!({"tool_id": KNOWN_TOOL, "version_constraint": ">=1", "additional_instruction": "i", "audio_fillers": [],
        "audio_filler_triggered_after": 1, "result_persistence": "persisted"});
    json!({"description": "d", "states": [state("start", json!([spec])), state("end", json!([]))],
        "new_user_initial_state": "start", "returning_user_initial_state": "start", "terminal_state": "end",
        "references": {}, "global_intra_state_navigation_guidelines": [], "global_action_guidelines": [],
        "global_boundary_constraints": []})
}

fn configuration(provider: SocketAddr, tool: SocketAddr) -> String {
    format!(
        r#"
        [runtime]
        default_model = "dry_model"

        [[providers]]
        name = "acme"
        kind = "openai-compatible"
        base_url = "http://{provider}/v1"
        key_env = "ACME_KEY"

        [[providers]]
        name = "dry"
        kind = "scripted"
        script = "script.json"

        [[models.model]]
        name = "acme_care"
        provider = "acme"

        [[models.model]]
        name = "dry_model"
        provider = "dry"

        [[tools]]
        id = "{KNOWN_TOOL}"
        name = "look_up"
        url = "http://{tool}/look_up"
        parameters = {{ type = "object", required = ["name"] }}
        headers = {{ Authorization = "Bearer ${{TOOL_TOKEN}}" }}
        "#
    )
}

/// A caller of the API.
struct Caller {
    base: String,
    token: String,
}

impl Caller {
    async fn post(&self, path: &str, body: Value) -> String {
        let request = reqwest::Client::new()
            .post(format!("{}/{path}", self.base))
            .bearer_auth(&self.token);
        let request = request
            .header("content-type", "application/json")
            .body(body.to_string());
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        text
    }

    async fn created(&self, path: &str, body: Value) -> String {
        let answer: Value = serde_json::from_str(&self.post(path, body).await).unwrap();
        answer["id"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_calls_the_configured_model_and_tool_with_their_secrets_and_logs_neither() {
    record::secret("provider key", KEY);
    record::secret("tool token", TOOL_TOKEN);
    let provider = Played::start("text/event-stream", streamed("Hello Robin."));
    let tool = Played::start("text/plain", "patient 7".to_owned());
    let database = TestDatabase::start(Engine::Sqlite).await;
    let config = database.folder.path().join("forge.toml");
    std::fs::write(&config, configuration(provider.address, tool.address)).unwrap();
    let script = json!({"rules": [
        {"interaction": "choose-tools", "round": 0, "answer": "{\"calls\": [{\"tool\": \"look_up\", \"params\": {\"name\": \"Robin\"}}]}"},
        {"interaction": "choose-tools", "answer": "{\"calls\": []}"},
    ]});
    std::fs::write(database.folder.path().join("script.json"), script.to_string()).unwrap();
    let mut location = location(&database);
    location.extend(["--config".to_owned(), config.display().to_string()]);
    let credentials = init("acme", &location);

    let mut command = forge();
    command
        .env("FORGE_LOG", "trace")
        .env("ACME_KEY", KEY)
        .env("TOOL_TOKEN", TOOL_TOKEN);
    command.args(["serve", "--listen", "127.0.0.1:0"]).args(&location);
    let server = Serving::spawn(command);
    let caller = Caller {
        base: format!("{}/v1/acme", server.address),
        token: sign_in(&server.address, &credentials).await,
    };
    let agent = caller
        .created("organization/agent", json!({"agent_name": "Mira"}))
        .await;
    caller
        .post(&format!("organization/agent/{agent}/"), agent_version())
        .await;
    let machines = "organization/service_hierarchical_state_machine";
    let machine = caller
        .created(machines, json!({"state_machine_name": "Care"}))
        .await;
    caller.post(&format!("{machines}/{machine}/"), graph()).await;
    let mut body = service_body("Front desk", &agent, &machine);
    body["release_version_set"] = json!({"agent_version_number": 1, "service_hierarchical_state_machine_version_number": 1,
        "llm_model_preferences": {"engage-user": {"llm_name": "acme_care"}}});
    let service = caller.created("service/", body).await;
    let begin =
        json!({"service_id": service, "initial_message": SAID, "initial_message_type": "user-message"});
    let events = caller.post("conversation/?response_format=text", begin).await;
    let last: Value = serde_json::from_str(events.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["type"], &last["full_message"]),
        (&json!("interaction-complete"), &json!("Hello Robin.")),
        "{events}"
    );

    let called = tool.request();
    assert!(
        called.starts_with("POST /look_up HTTP/1.1\r\n") && called.ends_with("\r\n\r\n{\"name\":\"Robin\"}"),
        "{called}"
    );
    assert!(called.contains(&format!("Bearer {TOOL_TOKEN}")), "{called}");
    let asked = provider.request();
    assert!(
        asked.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"),
        "{asked}"
    );
    assert!(
        asked.contains(&format!("Bearer {KEY}")) && asked.contains("\"model\":\"care\""),
        "{asked}"
    );
    assert!(asked.contains(SAID) && asked.contains("patient 7"), "{asked}");
    let log = server.stop();
    for secret in [KEY, TOOL_TOKEN, SAID, "Goodfellow", "patient 7", "Hello Robin"] {
        assert!(!log.contains(secret), "`{secret}` is in the log");
    }

    // Without its secrets, a server does not start; other commands need none.
    let output = forge()
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(&location)
        .output()
        .unwrap();
    let error = one_line_error(&output);
    assert!(
        error.contains("forge.toml is not valid") || error.contains("ACME_KEY"),
        "{error}"
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("the environment variable ACME_KEY is not set"));
    init("another", &location);
}
