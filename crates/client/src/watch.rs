//! Following changes as they happen.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use forge_types::ServiceId;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::answers::Actor;
use crate::request::Request;
use crate::session::backoff;
use crate::sse::{Message, Parser};
use crate::stream::{Stream, pause};
use crate::{Client, ClientError, Document};

/// The longest message that is taken, in bytes; the server sends none that is nearly as long.
const LONGEST_MESSAGE: usize = 16 * 1024 * 1024;
/// A stream that lasted so long was a good one, even if nothing happened.
const GOOD_WHILE: Duration = Duration::from_mins(1);

/// In how many pieces of a stream its beginning comes at most.
const MESSAGES_TO_BEGIN: usize = 3;

/// A change of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Change {
    /// The organization's change number.
    pub sequence: i64,
    /// When, in RFC 3339.
    pub created_at: String,
    /// What happened; of what the caller may see.
    pub events: Vec<Event>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Event {
    /// What was done.
    pub action: String,
    /// To what.
    pub object: Object,
    /// By whom.
    pub actor: Actor,
    /// The service whose set it is about, if it is about one.
    #[serde(default)]
    pub service_id: Option<ServiceId>,
    /// The set that it is about.
    #[serde(default)]
    pub version_set_name: Option<String>,
    /// The latest revision of the set afterwards, or `None` if it was deleted.
    #[serde(default)]
    pub revision: Option<i64>,
}

/// What something was done to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Object {
    /// What kind of thing it is, such as `version_set`.
    pub kind: String,
    /// Its id within its kind.
    pub id: String,
}

/// The changes of an organization, in their order, each once.
///
/// It connects again by itself when the connection is lost, when the server ends it, and when the token ends, and goes on
/// behind the last change that it was told.
pub struct Watch<'c> {
    client: &'c Client,
    services: Vec<ServiceId>,
    /// Everything up to this change has been told.
    told: Option<i64>,
    connection: Option<Connection>,
    /// Messages that came and were not given out yet.
    waiting: VecDeque<Message>,
    /// How often it was tried in vain to go on.
    failures: u32,
    /// Whether the server answered once: until then, trouble is told instead of waited for.
    has_begun: bool,
}

/// A stream that is open.
struct Connection {
    stream: Stream,
    parser: Parser,
    since: Instant,
}

impl Connection {
    fn new(stream: Stream) -> Self {
        Self {
            stream,
            parser: Parser::default(),
            since: Instant::now(),
        }
    }
}

impl Client {
    /// Follows the changes of these services, or of the whole organization if none is named: those after a change, or
    /// those that happen from now on.
    pub fn watch(&self, services: Vec<ServiceId>, after: Option<i64>) -> Watch<'_> {
        Watch {
            client: self,
            services,
            told: after,
            connection: None,
            waiting: VecDeque::new(),
            failures: 0,
            has_begun: false,
        }
    }

    /// Returns the number of the organization's latest change, or `None` if the server does not tell it at once.
    ///
    /// What was read between two calls that return the same number was so at one moment.
    ///
    /// # Errors
    ///
    /// Fails as every call does (see [`ClientError`]).
    pub async fn latest_change(&self) -> Result<Option<i64>, ClientError> {
        let mut watch = self.watch(Vec::new(), None);
        for _ in 0..MESSAGES_TO_BEGIN {
            watch.receive().await?;
            while let Some(message) = watch.waiting.pop_front() {
                watch.understood(message)?;
            }
            if watch.told.is_some() {
                break;
            }
        }
        Ok(watch.told)
    }
}

impl Watch<'_> {
    /// Connects, so that everything that happens from now on will be told.
    ///
    /// # Errors
    ///
    /// Fails if the connection cannot be made, or the server refuses.
    pub async fn begin(&mut self) -> Result<(), ClientError> {
        self.receive().await
    }

    /// Returns the next change as soon as it happens.
    ///
    /// # Errors
    /// Fails if the first connection cannot be made, and later if the server refuses to go on. Trouble with the network, and
    /// a server that cannot answer for a while, are waited for.
    pub async fn next(&mut self) -> Result<Document<Change>, ClientError> {
        loop {
            while let Some(message) = self.waiting.pop_front() {
                if let Some(change) = self.understood(message)? {
                    return Ok(change);
                }
            }
            match self.receive().await {
                Ok(()) => {}
                Err(failure) if self.has_begun && failure.can_pass() => {
                    self.connection = None;
                    self.failures += 1;
                    self.client.wait(pause(&failure, self.failures), &failure).await;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Waits until something comes, and connects before if need be.
    async fn receive(&mut self) -> Result<(), ClientError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::new(self.client.stream(&self.request()).await?),
        };
        self.has_begun = true;
        let bytes = connection.stream.next().await?;
        let messages = match &bytes {
            Some(bytes) => connection.parser.take(bytes.as_ref()),
            None => Vec::new(),
        };
        if connection.parser.held() > LONGEST_MESSAGE {
            let too_long = serde::de::Error::custom("a message is too long");
            return Err(connection.stream.unexpected(too_long));
        }
        let is = |kind: &str| {
            messages
                .iter()
                .any(|message| message.event.as_deref() == Some(kind))
        };
        let has_ended = bytes.is_none() || is("end");
        if is("change") || connection.since.elapsed() > GOOD_WHILE {
            self.failures = 0;
        }
        self.waiting.extend(messages);
        if !has_ended {
            self.connection = Some(connection);
            return Ok(());
        }
        // Not a failure, but a server that ends every stream at once is not asked at once.
        self.failures += 1;
        if self.failures > 1 {
            tokio::time::sleep(backoff(self.failures.min(8))).await;
        }
        Ok(())
    }

    fn request(&self) -> Request {
        let request = Request::get("watch");
        let request = match self.told {
            Some(told) => request.header("Last-Event-ID", told),
            None => request,
        };
        self.services
            .iter()
            .fold(request, |request, id| request.query("service_id", id))
    }

    /// Notes how far everything has been told, and returns the change that a message tells, if it tells a new one.
    fn understood(&mut self, message: Message) -> Result<Option<Document<Change>>, ClientError> {
        let id = message.id.as_deref().and_then(|id| id.parse::<i64>().ok());
        let is_new = id.is_none() || id > self.told;
        let change = match message.event.as_deref() {
            Some("change") if is_new => {
                let read = RawValue::from_string(message.data).and_then(Document::read);
                Some(read.map_err(|source| self.client.unexpected(&Request::get("watch"), source))?)
            }
            // Kinds of messages that this client does not know are of no concern to it.
            _ => None,
        };
        self.told = self.told.max(id);
        Ok(change)
    }
}
