//! Clients: each has one connection that it keeps, sends prepared bytes, and waits for the answer before the next.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Figures;

/// A request, as it goes over the wire.
#[derive(Clone)]
pub struct Request(Arc<[u8]>);

impl Request {
    /// Builds a request; with a body, it is declared as JSON.
    pub fn new(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Self {
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            let length = body.len();
            text.push_str(&format!(
                "content-type: application/json\r\ncontent-length: {length}\r\n"
            ));
        }
        text.push_str("\r\n");
        text.push_str(body);
        Self(text.into_bytes().into())
    }
}

/// An answer; its body is read but not looked at.
pub struct Answer<'a> {
    /// Its status, three digits.
    pub status: &'a str,
    /// Its first line and its headers, with names in small letters.
    pub head: &'a str,
}

/// Sends the requests of each client over and over, and measures.
///
/// Every answer has to pass the check.
///
/// The clients share one thread of their own: they are no part of what is measured, but they use the same cores.
///
/// # Panics
/// If an answer does not pass, or a connection breaks.
pub fn run(
    address: SocketAddr,
    clients: Vec<Vec<Request>>,
    time: Duration,
    check: fn(&Answer<'_>) -> bool,
) -> Figures {
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(async move {
            let start = Instant::now() + time / 10;
            let clients = clients
                .into_iter()
                .map(|requests| tokio::spawn(client(address, requests, start..start + time, check)));
            let mut latencies = Vec::new();
            for client in clients.collect::<Vec<_>>() {
                latencies.extend(client.await.unwrap());
            }
            Figures::new(latencies, time)
        })
    });
    thread.join().unwrap()
}

async fn client(
    address: SocketAddr,
    requests: Vec<Request>,
    measured: Range<Instant>,
    check: fn(&Answer<'_>) -> bool,
) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut buffer, mut latencies) = (vec![0; 64 * 1024], Vec::new());
    for request in requests.iter().cycle() {
        let sent = Instant::now();
        if sent >= measured.end {
            break;
        }
        stream.write_all(&request.0).await.unwrap();
        let (head, length) = read(&mut stream, &mut buffer).await;
        let text = std::str::from_utf8(&buffer[..head]).unwrap();
        let answer = Answer {
            status: &text[9..12],
            head: text,
        };
        let body = String::from_utf8_lossy(&buffer[head..length]);
        assert!(check(&answer), "an unexpected answer: {text}{body}");
        let now = Instant::now();
        if sent >= measured.start && now <= measured.end {
            latencies.push(now - sent);
        }
    }
    latencies
}

/// Reads one answer; returns the lengths of its head, and of all of it.
async fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> (usize, usize) {
    let (mut filled, mut expected) = (0, None);
    loop {
        if let Some((head, length)) = expected
            && filled >= length
        {
            return (head, length);
        }
        let more = stream.read(&mut buffer[filled..]).await.unwrap();
        assert!(more > 0, "the server hung up");
        filled += more;
        if expected.is_none() {
            expected = lengths(&buffer[..filled]);
        }
    }
}

fn lengths(bytes: &[u8]) -> Option<(usize, usize)> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head]).unwrap();
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    Some((head, head + length))
}
