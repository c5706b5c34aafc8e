//! The worst request that each operation admits, and what it costs the server: processor time, memory, and what is
//! answered. Bodies are generated from the schemas of the served document.

mod bodies;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use forge_testkit::{Engine, TestDatabase};
use reqwest::{Client, Method};
use serde_json::{Map, Value, json};

use crate::process::{PATIENCE, Serving, init};
use bodies::{Shape, worst};

/// The largest body that the server under test admits: large enough that what grows faster than the body is noticed.
const MAX_BODY: usize = 256 * 1024;

/// How much processor time one request may take, in milliseconds, without optimisation.
const MOST_MILLISECONDS: u64 = 3_000;

/// How much memory all of the requests may leave behind, in KiB.
const MOST_GROWTH: u64 = 200 * 1024;

/// How large the body of a failure is at most.
const MOST_TOLD: usize = 64 * 1024;

/// A server whose costs are counted.
struct Counted {
    serving: Serving,
    client: Client,
    token: String,
    organization: String,
    _database: TestDatabase,
}

impl Counted {
    async fn start(max_body: usize) -> Self {
        let database = TestDatabase::start(Engine::Sqlite).await;
        let config = format!("[limits]\nmax_body_bytes = {max_body}\n\n[rate_limits]\nenabled = false\n");
        let folder = database.folder.path().join("data");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("forge.toml"), config).unwrap();
        let credentials = init("acme", &database.flags);
        let serving = Serving::start_with(&[], &database.flags);
        let client = Client::builder().timeout(PATIENCE).build().unwrap();
        let text = |field: &str| credentials[field].as_str().unwrap().to_owned();
        let answer = client
            .post(format!("{}/v1/acme/user/signin_with_api_key", serving.address))
            .header("x-api-key", text("api_key"))
            .header("x-api-key-id", text("api_key_id"))
            .header("x-user-id", text("user_id"))
            .send()
            .await
            .unwrap();
        let session: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        Self {
            serving,
            client,
            token: session["id_token"].as_str().unwrap().to_owned(),
            organization: text("organization_id"),
            _database: database,
        }
    }

    /// Sends a request, holds it against what it may cost, and tells whether the answer came through: whoever is
    /// refused before the body is read may find the connection closed while they still send it.
    async fn call(&self, name: &str, method: Method, path: &str, body: &Value) -> bool {
        let before = self.processor_milliseconds();
        let request = self
            .client
            .request(method, format!("{}{path}", self.serving.address))
            .bearer_auth(&self.token)
            .header("content-type", "application/json")
            .header("x-org-id", &self.organization)
            .header("x-mongo-cluster-name", "default")
            .body(body.to_string());
        let answer = match request.send().await {
            Ok(answer) => {
                let status = answer.status().as_u16();
                answer.bytes().await.ok().map(|told| (status, told.len()))
            }
            Err(_) => None,
        };
        let milliseconds = self.processor_milliseconds() - before;
        assert!(
            milliseconds <= MOST_MILLISECONDS,
            "{name}: {milliseconds} ms of processor time, {answer:?}"
        );
        if let Some((status, told)) = answer {
            assert!(status < 500, "{name}: {status}");
            assert!(
                status < 400 || told <= MOST_TOLD,
                "{name}: {status} with {told} bytes"
            );
        }
        answer.is_some()
    }

    /// Returns how much processor time the server has used.
    fn processor_milliseconds(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.serving.id())).unwrap();
        // The name of the program, in parentheses, may have blanks. Then follow the fields from the third on; times
        // are in hundredths of a second.
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks = |field: usize| fields[field - 3].parse::<u64>().unwrap();
        (ticks(14) + ticks(15)) * 10
    }

    /// Returns how much memory the server holds, in KiB.
    fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.serving.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

/// Asks again and again whether a server lives, and counts the answers, until it is told to stop.
struct Watcher {
    is_over: Arc<AtomicBool>,
    answers: Arc<AtomicU64>,
    asking: tokio::task::JoinHandle<()>,
}

impl Watcher {
    fn start(address: &str) -> Self {
        let (is_over, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let url = format!("{address}/healthz");
        let asking = tokio::spawn({
            let (is_over, answers) = (Arc::clone(&is_over), Arc::clone(&answers));
            async move {
                let client = Client::builder()
                    .timeout(Duration::from_secs(20))
                    .build()
                    .unwrap();
                while !is_over.load(Ordering::Relaxed) {
                    let answer = client.get(&url).send().await.unwrap();
                    assert_eq!(answer.status(), 200);
                    answers.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        Self {
            is_over,
            answers,
            asking,
        }
    }

    fn count(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    async fn end(self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.asking.await.unwrap();
    }
}

/// Returns the operations of a document that read a body of JSON: their id, method, path with its parameters filled in,
/// and the schema of the body.
fn operations(document: &Value) -> Vec<(String, Method, String, Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema") else {
                continue;
            };
            let filled: Vec<String> = path
                .split('/')
                .map(|segment| match segment.strip_prefix('{') {
                    Some("organization}") if operation["operationId"] == "create-organization" => {
                        "other".to_owned()
                    }
                    Some("organization}") => "acme".to_owned(),
                    Some("version}") => "1".to_owned(),
                    Some(_) if path.contains("{version_set_name}") && segment == "{version_set_name}" => {
                        "test".to_owned()
                    }
                    Some(_) => "0123456789abcdef01234567".to_owned(),
                    None => segment.to_owned(),
                })
                .collect();
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let id = operation["operationId"].as_str().unwrap().to_owned();
            all.push((id, method, filled.join("/"), schema.clone()));
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worst_body_that_an_operation_admits_costs_little() {
    let server = Counted::start(MAX_BODY).await;
    let document = server
        .client
        .get(format!("{}/v1/openapi.json", server.serving.address));
    let document: Value =
        serde_json::from_slice(&document.send().await.unwrap().bytes().await.unwrap()).unwrap();
    let operations = operations(&document);
    assert!(operations.len() > 35, "{}", operations.len());
    let resident = server.resident_kib();
    let watcher = Watcher::start(&server.serving.address);
    let mut answered = 0;
    for (id, method, path, schema) in &operations {
        for shape in Shape::ALL {
            let body = worst(&document, schema, shape, MAX_BODY);
            let name = format!("{id} {shape:?}");
            answered += usize::from(server.call(&name, method.clone(), path, &body).await);
        }
    }
    let all = operations.len() * Shape::ALL.len();
    assert!(answered > all * 3 / 4, "{answered} of {all} were answered");
    let growth = server.resident_kib().saturating_sub(resident);
    assert!(growth <= MOST_GROWTH, "{growth} KiB more");
    assert!(watcher.count() > 0);
    watcher.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_at_the_default_limit_stops_nobody_else() {
    const LARGE: usize = 4 * 1024 * 1024 - 4096;
    let server = Counted::start(LARGE + 4096).await;
    let tags: Map<String, Value> = (0..LARGE / 24)
        .flat_map(|number| [(format!("{number}"), json!(0)), (format!("{number} "), json!(0))])
        .collect();
    let body = json!({"name": "n", "applied_to_services": vec![json!([]); (LARGE - 200) / 3], "tags": {}})
        .to_string();
    let tags = json!({"tags": tags}).to_string();
    assert!(body.len() <= LARGE && tags.len() <= LARGE);
    let resident = server.resident_kib();
    let watcher = Watcher::start(&server.serving.address);
    let before = server.processor_milliseconds();
    let send = |path: &str, body: &str| {
        let request = server
            .client
            .post(format!("{}/v1/acme/{path}", server.serving.address))
            .bearer_auth(&server.token)
            .header("content-type", "application/json")
            .body(body.to_owned());
        async move { request.send().await.unwrap().bytes().await.unwrap().len() }
    };
    let asked = watcher.count();
    let told = tokio::join!(
        send("metric/", &body),
        send("metric/", &body),
        send("service/", &tags),
        send("service/", &tags)
    );
    for told in <[usize; 4]>::from(told) {
        assert!(told <= MOST_TOLD, "{told} bytes");
    }
    assert!(watcher.count() > asked, "nobody was answered meanwhile");
    let milliseconds = server.processor_milliseconds() - before;
    assert!(milliseconds <= 4 * 10_000, "{milliseconds} ms of processor time");
    let growth = server.resident_kib().saturating_sub(resident);
    assert!(growth <= 4 * MOST_GROWTH, "{growth} KiB more");
    watcher.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_without_credentials_costs_at_most_64_kib() {
    use std::io::Write as _;

    const CONNECTIONS: u64 = 300;
    let server = Counted::start(MAX_BODY).await;
    let address = server.serving.address.strip_prefix("http://").unwrap();
    let resident = server.resident_kib();
    let head = format!(
        "GET /healthz HTTP/1.1\r\nHost: test\r\nx-large: {}",
        "x".repeat(480 * 1024)
    );
    let connections: Vec<std::net::TcpStream> = (0..CONNECTIONS)
        .map(|_| {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            // It is closed when too much has come.
            let _ = stream.write_all(head.as_bytes());
            stream
        })
        .collect();
    // The largest head that is not refused, without its end.
    let unfinished: Vec<std::net::TcpStream> = (0..CONNECTIONS)
        .map(|_| {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.write_all(&head.as_bytes()[..39 * 1024]).unwrap();
            stream
        })
        .collect();
    // Answered after those before it were accepted.
    let answer = server
        .client
        .get(format!("{}/healthz", server.serving.address))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let growth = server.resident_kib().saturating_sub(resident);
    assert!(
        growth <= 64 * CONNECTIONS,
        "{growth} KiB for {CONNECTIONS} unfinished heads"
    );
    drop((connections, unfinished));
}
