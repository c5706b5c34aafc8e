//! `forge serve`

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Instant;

use forge_testkit::{Engine, TestDatabase, both_engines};
use serde_json::Value;

use crate::process::{PATIENCE, Serving, forge, init, location, one_line_error, run};

pub(crate) async fn sign_in(address: &str, credentials: &Value) -> String {
    let text = |field: &str| credentials[field].as_str().unwrap().to_owned();
    let request = reqwest::Client::new()
        .post(format!(
            "{address}/v1/{}/user/signin_with_api_key",
            text("organization_id")
        ))
        .header("x-api-key", text("api_key"))
        .header("x-api-key-id", text("api_key_id"))
        .header("x-user-id", text("user_id"));
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    let token = answer["id_token"].as_str().unwrap();
    forge_testkit::record::secret("token", token);
    token.to_owned()
}

async fn status(url: &str) -> u16 {
    reqwest::get(url).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_server_goes_on_when_nobody_takes_its_log_any_more() {
    let database = TestDatabase::start(Engine::Sqlite).await;
    let location = location(&database);
    let credentials = init("acme", &location);
    let start = |stderr: Stdio| {
        let mut command = forge();
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(&location);
        command.stdout(Stdio::piped()).stderr(stderr).spawn().unwrap()
    };
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    for stderr in [Stdio::piped(), full().into()] {
        let mut server = start(stderr);
        let mut line = String::new();
        let mut stdout = BufReader::new(server.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on ").unwrap().to_owned();
        // Whoever read it is gone.
        drop(server.stderr.take());
        for path in ["healthz", "readyz"] {
            assert_eq!(status(&format!("{address}/{path}")).await, 200);
        }
        let token = sign_in(&address, &credentials).await;
        let agent = reqwest::Client::new().post(format!("{address}/v1/acme/organization/agent"));
        let agent = agent
            .bearer_auth(&token)
            .json(&serde_json::json!({"agent_name": format!("Mira {}", server.id())}));
        assert_eq!(agent.send().await.unwrap().status(), 201);
        let id = server.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(server.wait().unwrap().code(), Some(0));
    }
}

/// A pipe holds some hundred lines.
#[tokio::test]
async fn a_server_goes_on_when_its_log_is_not_read_for_a_while() {
    let database = TestDatabase::start(Engine::Sqlite).await;
    let location = location(&database);
    let credentials = init("acme", &location);
    for is_read_again in [true, false] {
        let mut command = forge();
        command.env("FORGE_LOG", "info");
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(&location);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut server = command.spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(server.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on ").unwrap().to_owned();
        let client = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        for _ in 0..1000 {
            let nowhere = client.get(format!("{address}/v1/acme/nowhere")).send();
            assert_eq!(nowhere.await.unwrap().status(), 404);
        }
        for path in ["healthz", "readyz"] {
            let answer = client.get(format!("{address}/{path}")).send();
            assert_eq!(answer.await.unwrap().status(), 200);
        }
        sign_in(&address, &credentials).await;
        let mut log = BufReader::new(server.stderr.take().unwrap());
        let id = server.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status();
        assert!(told.unwrap().success());
        if is_read_again {
            let mut rest = String::new();
            log.read_to_string(&mut rest).unwrap();
            assert!(rest.contains("stopping"), "{rest}");
        }
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = server.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "the server does not end");
            std::thread::sleep(std::time::Duration::from_millis(10));
        };
        assert_eq!(status.code(), Some(0));
        drop(log);
    }
}

#[both_engines]
async fn what_init_printed_signs_in_before_and_after_a_restart(database: TestDatabase) {
    let location = location(&database);
    let credentials = init("acme", &location);
    for _ in 0..2 {
        let server = Serving::start(&location);
        assert_eq!(status(&format!("{}/healthz", server.address)).await, 200);
        assert_eq!(status(&format!("{}/readyz", server.address)).await, 200);
        let token = sign_in(&server.address, &credentials).await;
        let url = format!("{}/v1/acme/service/", server.address);
        let answer = reqwest::Client::new()
            .get(url)
            .bearer_auth(&token)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.headers().contains_key("x-request-id"));
        let log = server.stop();
        let secret = credentials["api_key"].as_str().unwrap();
        assert!(
            !log.contains(secret) && !log.contains(&token),
            "secrets in the log: {log}"
        );
        assert!(
            log.contains("get-services") && log.contains("status=200"),
            "{log}"
        );
    }
}

#[both_engines]
async fn a_request_under_way_is_finished_before_the_server_ends(database: TestDatabase) {
    let location = location(&database);
    let credentials = init("acme", &location);
    let server = Serving::start(&location);
    let token = sign_in(&server.address, &credentials).await;
    let body = r#"{"agent_name": "Mira"}"#;
    let (first, rest) = body.split_at(5);
    let host = server.address.strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&host).unwrap();
    write!(
        stream,
        "POST /v1/acme/organization/agent HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
        Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{first}",
        body.len()
    )
    .unwrap();
    // The server has the request once it answers another one that came later.
    assert_eq!(status(&format!("{}/healthz", server.address)).await, 200);
    server.signal("TERM");
    while TcpStream::connect(&host).is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    stream.write_all(rest.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(0), "{log}");
}

#[both_engines]
async fn an_interrupt_ends_the_server_too(database: TestDatabase) {
    let location = location(&database);
    init("acme", &location);
    let server = Serving::start(&location);
    server.signal("INT");
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(0), "{log}");
}

#[both_engines]
async fn a_store_that_is_missing_or_newer_is_refused(database: TestDatabase) {
    let location = location(&database);
    let error = one_line_error(&run(&["serve", "--listen", "127.0.0.1:0"], &location));
    assert!(error.contains("create one with `forge init`"), "{error}");
    init("acme", &location);
    database
        .tamper(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                SELECT 9999, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
        )
        .await;
    let error = one_line_error(&run(&["serve", "--listen", "127.0.0.1:0"], &location));
    assert!(
        error.contains("was written by a newer Forge (schema 9999"),
        "{error}"
    );
    assert!(error.contains("upgrade this binary"), "{error}");
}

#[tokio::test]
async fn a_second_server_on_one_folder_is_refused() {
    let database = TestDatabase::start(Engine::Sqlite).await;
    let location = location(&database);
    init("acme", &location);
    let server = Serving::start(&location);
    let error = one_line_error(&run(&["serve", "--listen", "127.0.0.1:0"], &location));
    assert!(error.contains("is in use by another Forge process"), "{error}");
    assert_eq!(status(&format!("{}/readyz", server.address)).await, 200);
    server.stop();
}

#[tokio::test]
async fn a_running_server_creates_organizations_through_a_socket_that_only_its_owner_may_use() {
    use std::os::unix::fs::PermissionsExt as _;
    let database = TestDatabase::start(Engine::Sqlite).await;
    let location = location(&database);
    init("acme", &location);
    let socket = database.folder.path().join("data/forge.sock");
    assert!(!socket.exists());
    let server = Serving::start(&location);
    let other = init("other", &location);
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    sign_in(&server.address, &other).await;
    let again = run(&["init", "--organization", "other"], &location);
    assert!(one_line_error(&again).contains("organization `other` exists already"));
    server.stop();
    assert!(!socket.exists(), "the socket goes with its server");
    init("third", &location);
}

#[tokio::test]
async fn a_socket_that_a_dead_server_left_behind_is_replaced() {
    let database = TestDatabase::start(Engine::Sqlite).await;
    let location = location(&database);
    init("acme", &location);
    let server = Serving::start(&location);
    init("other", &location);
    server.signal("KILL");
    server.wait();
    assert!(database.folder.path().join("data/forge.sock").exists());
    init("third", &location);
    let server = Serving::start(&location);
    init("fourth", &location);
    server.stop();
}

#[tokio::test]
async fn two_servers_share_one_postgresql_database() {
    if !Engine::Postgres.is_available() {
        return;
    }
    let database = TestDatabase::start(Engine::Postgres).await;
    let location = location(&database);
    let credentials = init("acme", &location);
    let (first, second) = (Serving::start(&location), Serving::start(&location));
    let token = sign_in(&first.address, &credentials).await;
    let client = reqwest::Client::new();
    let url = |address: &str| format!("{address}/v1/acme/organization/agent");
    let body = serde_json::json!({"agent_name": "Mira"});
    let created = client
        .post(url(&first.address))
        .bearer_auth(&token)
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(created.status(), 201);
    let listed = client
        .get(url(&second.address))
        .bearer_auth(&token)
        .send()
        .await
        .unwrap();
    let listed: Value = listed.json().await.unwrap();
    assert_eq!(listed["agents"][0]["name"], "Mira");
    first.stop();
    second.stop();
}

#[test]
fn an_address_that_is_taken_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let location = [
        "--data-dir".to_owned(),
        folder.path().join("data").display().to_string(),
    ];
    init("acme", &location);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let error = one_line_error(&run(&["serve", "--listen", &address], &location));
    assert!(error.contains(&format!("cannot listen on {address}")), "{error}");
}

/// The limit on a file's size stands in for a full disk; `prlimit` lifts it while the server runs.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn writes_go_on_after_a_full_disk_has_room_again() {
    let database = TestDatabase::start(Engine::Sqlite).await;
    let location = location(&database);
    let credentials = init("acme", &location);
    let server = Serving::start_with_file_limit(&location, 600);
    let token = sign_in(&server.address, &credentials).await;
    let client = reqwest::Client::new();
    let url = format!("{}/v1/acme/organization/agent", server.address);
    let create = async |number: usize| {
        let body = serde_json::json!({"agent_name": format!("{number} {}", "x".repeat(200))});
        let answer = client
            .post(&url)
            .bearer_auth(&token)
            .json(&body)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let mut created = 0;
    let (refused, text) = loop {
        assert!(created < 5000, "the limit is never reached");
        match create(created).await {
            (201, _) => created += 1,
            other => break other,
        }
    };
    assert_eq!(refused, 503, "{text}");
    let ready = |address: &str| format!("{address}/readyz");
    server.lift_file_limit();
    assert_eq!(create(5001).await.0, 201, "the server recovers by itself");
    assert_eq!(status(&ready(&server.address)).await, 200);
    server.stop();
}

#[tokio::test]
async fn a_server_whose_disk_takes_nothing_is_not_ready_until_it_does() {
    let database = TestDatabase::start(Engine::Sqlite).await;
    let location = location(&database);
    init("acme", &location);
    let server = Serving::start_with_file_limit(&location, 100_000);
    let becomes = async |expected: u16| {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = reqwest::get(format!("{}/readyz", server.address)).await.unwrap();
            if answer.status() == expected {
                return answer.text().await.unwrap();
            }
            assert!(Instant::now() < deadline, "{}", answer.text().await.unwrap());
            // What it has found stands for a moment.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    becomes(200).await;
    server.refuse_writes();
    let text = becomes(503).await;
    assert!(text.contains("the disk takes no writes"), "{text}");
    server.lift_file_limit();
    becomes(200).await;
    server.stop();
    let left = database.folder.path().join("data/forge.probe");
    assert!(!left.exists(), "nothing is left behind");
}
