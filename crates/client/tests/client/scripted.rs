//! A server that gives the answers of a script, one after the other, and keeps what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use forge_client::{Bounds, Client, Credentials, Options, TokenCache};
use forge_types::{Clock, Timestamp};

/// What the server does when it is asked something.
pub(crate) enum Step {
    /// Answers with a status, headers and a body.
    Answer(u16, &'static str, String),
    /// Answers with a body that breaks off: more of it was announced.
    Cut(String),
    /// Reads the request and hangs up.
    HangUp,
    /// Begins an answer, and goes on with it no further until the other side hangs up.
    Stall(&'static str),
}

/// Answers with a status and a body.
pub(crate) fn answer(status: u16, body: &str) -> Step {
    Step::Answer(status, "", body.to_owned())
}

/// The answer of a sign-in: a token, and the second in which it ends.
pub(crate) fn token(name: &str, expires_at: i64) -> Step {
    let end = forge_types::rfc3339(Timestamp::from_millis(expires_at * 1000));
    answer(
        200,
        &format!(r#"{{"id_token": "{name}", "expires_at": "{end}"}}"#),
    )
}

/// A request, as far as tests look at it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Method and path.
    pub(crate) line: String,
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.headers.lines();
        lines
            .filter_map(|line| line.split_once(": "))
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    }
}

pub(crate) struct Server {
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    thread: JoinHandle<()>,
}

impl Server {
    pub(crate) fn start(script: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = asked.clone();
        let thread = std::thread::spawn(move || {
            for step in script {
                let (stream, _) = listener.accept().unwrap();
                kept.lock().unwrap().push(serve(stream, step));
            }
        });
        Self {
            address,
            asked,
            thread,
        }
    }

    /// Ensures that the script is over and returns what was asked.
    pub(crate) fn finish(self) -> Vec<Asked> {
        self.thread.join().unwrap();
        let asked = self.asked.lock().unwrap();
        asked.clone()
    }
}

fn serve(stream: TcpStream, step: Step) -> Asked {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut headers = String::new();
    while reader.read_line(&mut headers).unwrap() > 2 {}
    let mut asked = Asked {
        line: line.trim().trim_end_matches(" HTTP/1.1").to_owned(),
        headers: headers.replace("\r\n", "\n"),
        body: String::new(),
    };
    let length = asked
        .header("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    asked.body = String::from_utf8(body).unwrap();
    let (status, headers, body, missing) = match step {
        Step::Answer(status, headers, body) => (status, headers, body, 0),
        Step::Cut(body) => (200, "", body, 1),
        Step::HangUp => return asked,
        Step::Stall(begun) => {
            reader.get_mut().write_all(begun.as_bytes()).unwrap();
            // However the other side goes away.
            let _ = reader.read(&mut [0]);
            return asked;
        }
    };
    let length = body.len() + missing;
    let answer = format!(
        "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    reader.get_mut().write_all(answer.as_bytes()).unwrap();
    asked
}

/// A clock that stands still.
struct StoppedClock(i64);

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0 * 1000)
    }
}

pub(crate) fn credentials(address: &str) -> Credentials {
    Credentials {
        base_url: address.to_owned(),
        organization_id: "acme".into(),
        user_id: "u".into(),
        api_key_id: "k".into(),
        api_key: "secret".into(),
    }
}

/// A client at second `now`.
pub(crate) fn client(address: &str, now: i64, cache: Option<TokenCache>) -> Client {
    Client::new(credentials(address), options(now, cache)).unwrap()
}

/// A client that takes no more than this of an answer.
pub(crate) fn bounded(address: &str, bounds: Bounds) -> Client {
    let options = Options {
        bounds,
        ..options(0, None)
    };
    Client::new(credentials(address), options).unwrap()
}

/// The options of a client at second `now`.
pub(crate) fn options(now: i64, cache: Option<TokenCache>) -> Options {
    Options {
        clock: Arc::new(StoppedClock(now)),
        cache,
        user_agent: "test".into(),
        on_wait: None,
        bounds: Bounds::default(),
    }
}
