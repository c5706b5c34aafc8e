//! A bad line to the server: it carries everything there, and loses the answers to changes, or is slow at a bad moment.

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
        Self::stand(server, Trouble::Lost(loss, Box::new(|| {})))
    }

    /// Stands before the server at this address, loses one answer, and does something else before the line breaks.
    pub(crate) fn losing_once(server: &str, meanwhile: impl FnOnce() + Send + 'static) -> Arc<Self> {
        Self::stand(server, Trouble::Lost(Loss::Once, Box::new(meanwhile)))
    }

    /// Stands before the server at this address, loses nothing, and does something else before the first request whose
    /// line begins so.
    pub(crate) fn before(
        server: &str,
        line: &'static str,
        meanwhile: impl FnOnce() + Send + 'static,
    ) -> Arc<Self> {
        Self::stand(server, Trouble::Before(line, Box::new(meanwhile)))
    }

    fn stand(server: &str, trouble: Trouble) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = server.strip_prefix("http://").unwrap().to_owned();
        let (sender, lost) = channel();
        std::thread::spawn(move || carry(&listener, &server, trouble, &sender));
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

/// What goes wrong, and what is done meanwhile.
enum Trouble {
    /// The answer to a change is lost.
    Lost(Loss, Box<dyn FnOnce() + Send>),
    /// Nothing, but something is done before a request that begins so.
    Before(&'static str, Box<dyn FnOnce() + Send>),
}

/// Carries one request after the other, each on a connection of its own.
fn carry(listener: &TcpListener, server: &str, trouble: Trouble, lost: &Sender<()>) {
    let mut kept = Vec::new();
    let mut trouble = Some(trouble);
    while let Ok((mut client, _)) = listener.accept() {
        let Some(request) = read(&client) else { continue };
        let text = String::from_utf8_lossy(&request).into_owned();
        let strikes = match &trouble {
            Some(Trouble::Lost(..)) => is_change(&text),
            Some(Trouble::Before(line, _)) => text.starts_with(line),
            None => false,
        };
        let now = trouble.take_if(|_| strikes);
        let loss = match now {
            Some(Trouble::Before(_, meanwhile)) => {
                meanwhile();
                None
            }
            Some(Trouble::Lost(loss, meanwhile)) => Some((loss, meanwhile)),
            None => None,
        };
        let mut stream = TcpStream::connect(server).unwrap();
        stream.write_all(&request).unwrap();
        let Some((loss, meanwhile)) = loss else {
            // A stream has no end; whoever asked goes away.
            std::thread::spawn(move || std::io::copy(&mut stream, &mut client));
            continue;
        };
        stream.read_to_end(&mut Vec::new()).unwrap();
        meanwhile();
        if loss == Loss::Forever {
            kept.push(client);
        }
        // Nobody may be waiting.
        let _ = lost.send(());
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
