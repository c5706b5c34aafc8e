//! Servers that are short of file descriptors.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use forge_testkit::{Engine, TestDatabase};

use crate::process::{PATIENCE, Serving, init, location, run};

/// Waits until something is so.
#[track_caller]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn connect(server: &Serving, count: usize) -> Vec<TcpStream> {
    let host = server.address.strip_prefix("http://").unwrap();
    (0..count).map(|_| TcpStream::connect(host).unwrap()).collect()
}

/// Closes the server for maintenance, and opens it again, by the admin socket.
#[track_caller]
fn administrate(location: &[String]) {
    for switch in ["on", "off"] {
        let output = run(&["admin", "maintenance", switch], location);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{switch}: {error}");
    }
}

async fn is_alive(server: &Serving) -> bool {
    let url = format!("{}/readyz", server.address);
    reqwest::get(url).await.is_ok_and(|answer| answer.status() == 200)
}

#[tokio::test]
async fn a_server_raises_its_limit_of_open_files_and_keeps_enough_for_itself() {
    let database = TestDatabase::start(Engine::Sqlite).await;
    let location = location(&database);
    init("acme", &location);
    let server = Serving::start_with_open_files(128, 256, &location);
    let idle = connect(&server, 300);
    wait_until("nobody is admitted", || server.open_files().len() > 120);
    administrate(&location);
    drop(idle);
    wait_until("connections stay open", || server.open_files().len() < 100);
    assert!(is_alive(&server).await);
    administrate(&location);
    let log = server.stop();
    assert!(log.contains("open_files=\"256\" connections=120"), "{log}");
    assert!(
        log.contains("only 120 connections at once are admitted, not 10000"),
        "{log}"
    );
    assert!(!log.contains("cannot accept"), "{log}");
}

#[tokio::test]
async fn the_admin_socket_works_without_descriptors_and_survives_the_loss_of_its_reserve() {
    let database = TestDatabase::start(Engine::Sqlite).await;
    let location = location(&database);
    init("acme", &location);
    let server = Serving::start_with_open_files(1024, 1024, &location);
    assert!(is_alive(&server).await);

    // What is open stays open, and clients take what is still free below.
    let limit = server.open_files().into_iter().max().unwrap() + 1;
    server.limit_open_files(limit);
    let idle = connect(&server, limit + 20);
    wait_until("descriptors are left", || server.open_files().len() == limit);
    administrate(&location);

    // Not even the reserve helps: the command waits in the queue.
    server.limit_open_files(3);
    let waiting = {
        let location = location.clone();
        std::thread::spawn(move || run(&["admin", "maintenance", "off"], &location))
    };
    wait_until("nobody waits", || {
        server.open_files().len() < limit || waiting.is_finished()
    });
    server.limit_open_files(1024);
    let output = waiting.join().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    drop(idle);
    administrate(&location);
    assert!(is_alive(&server).await);
    let log = server.stop();
    assert!(
        log.contains("an admin command takes some of the reserve"),
        "{log}"
    );
}
