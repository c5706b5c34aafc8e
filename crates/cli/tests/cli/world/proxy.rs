//! A bad line to the server: it carries everything there, and loses the answers to changes.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use crate::process::PATIENCE;

/// What becomes of the answers to changes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The line breaks once before an answer comes.
    Once,
    /// The answer never comes.
    Forever,
}

pub(crate) struct Proxy {
    pub(crate) address: String,
    lost: Mutex<Receiver<()>>,
}

impl Proxy {
    /// Stands before the server at this address.
    pub(crate) fn start(server: &str, loss: Loss) -> Arc<Self> {
        Self::stand(server, loss, || {})
    }

    /// Stands before the server at this address, loses one answer, and does something else before the line breaks.
    pub(crate) fn losing_once(server: &str, meanwhile: impl FnOnce() + Send + 'static) -> Arc<Self> {
        Self::stand(server, Loss::Once, meanwhile)
    }

    fn stand(server: &str, loss: Loss, meanwhile: impl FnOnce() + Send + 'static) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = server.strip_prefix("http://").unwrap().to_owned();
        let (sender, lost) = channel();
        std::thread::spawn(move || carry(&listener, &server, loss, meanwhile, &sender));
        Arc::new(Self {
            address,
            lost: Mutex::new(lost),
        })
    }

    /// Waits until an answer was lost.
    pub(crate) fn wait_for_loss(&self) {
        self.lost.lock().unwrap().recv_timeout(PATIENCE).unwrap();
    }
}

/// Carries one request after the other, each on a connection of its own.
fn carry(listener: &TcpListener, server: &str, loss: Loss, meanwhile: impl FnOnce(), lost: &Sender<()>) {
    let mut kept = Vec::new();
    let mut meanwhile = Some(meanwhile);
    while let Ok((mut client, _)) = listener.accept() {
        let Some(request) = read(&client) else { continue };
        let mut stream = TcpStream::connect(server).unwrap();
        stream.write_all(&request).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        if is_change(&String::from_utf8_lossy(&request))
            && let Some(meanwhile) = meanwhile.take()
        {
            meanwhile();
            if loss == Loss::Forever {
                kept.push(client);
            }
            // Nobody may be waiting.
            let _ = lost.send(());
            continue;
        }
        client.write_all(&answer).unwrap();
    }
}

fn is_change(request: &str) -> bool {
    let line = request.lines().next().unwrap_or_default();
    request.contains("plan_digest=")
        || request.contains("\"plan_digest\":\"")
        || line.contains("/hold ")
        || line.contains("/yank ")
}

/// Reads a request, and asks for the end of the connection after it.
fn read(client: &TcpStream) -> Option<Vec<u8>> {
    let mut reader = BufReader::new(client);
    let mut head = String::new();
    while reader.read_line(&mut head).ok()? > 2 {}
    let length = head.lines().find_map(|line| {
        line.to_lowercase()
            .strip_prefix("content-length: ")
            .map(str::to_owned)
    });
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let mut request = head.replacen("\r\n", "\r\nConnection: close\r\n", 1).into_bytes();
    request.extend(body);
    Some(request)
}
