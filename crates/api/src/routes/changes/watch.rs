//! Tells changes as they happen, as server-sent events.

use std::time::Duration;

use axum::http::StatusCode;
use forge_app::watch::{News, WatchedChange, Watcher};
use forge_app::{AppError, Caller};
use forge_domain::ServiceId;
use forge_domain::fault::Fault;
use forge_domain::numeral::integer;
use forge_wire::changes::{ChangeInstance, EventInstance, SetEvent};
use forge_wire::rfc3339;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::call::{Call, Nothing};
use crate::error::ApiError;
use crate::following::Following;
use crate::reading::Places;
use crate::reply::Answer;
use crate::stream::{self, Sender};

#[derive(Deserialize)]
pub(crate) struct Query {
    service_id: Vec<ServiceId>,
    #[serde(default)]
    after: Option<i64>,
}

pub(crate) async fn handle(call: Call<Nothing, Query, Nothing, Caller>) -> Answer {
    let after = match call.headers.get("Last-Event-ID").and_then(Value::as_str) {
        Some(id) => Some(event_id(id)?),
        None => call.query.after,
    };
    let services = call.query.service_id.into_iter().collect();
    let following = call.server.followers.begin(call.place.holders())?;
    let watcher = Watcher::start(call.server.ctx(&call.caller), services, after).await?;
    let patience = call.server.limits.write_timeout;
    let (sender, response) = stream::open(StatusCode::OK, "text/event-stream", patience);
    let emitter = Teller {
        sender,
        following,
        places: call.server.reading.clone(),
        heartbeat: call.server.limits.heartbeat,
    };
    tokio::spawn(emitter.tell(watcher, call.server.stopping.clone()));
    Ok(response)
}

fn event_id(text: &str) -> Result<i64, ApiError> {
    let number = integer(text.trim()).filter(|number| *number >= 0);
    number.ok_or_else(|| {
        let loc = vec!["header".into(), "Last-Event-ID".into()];
        let msg = "expected the id of an event of this stream: a change number";
        ApiError::Invalid(vec![Fault::new(loc, "invalid", msg)])
    })
}

/// Tells one reader what happens.
struct Teller {
    sender: Sender,
    following: Following,
    /// The places of those who read: each part that is not in memory takes one while it is read.
    places: Places,
    heartbeat: Duration,
}

impl Teller {
    /// Tells until the reader goes away or is too slow, the token ends, or the server stops.
    async fn tell(self, mut watcher: Watcher, mut stopping: watch::Receiver<bool>) {
        // At once, so that the reader knows that it is connected, and behind which change: should it be cut off before
        // anything happens, it misses nothing.
        let mut told = watcher.up_to();
        if !self.sender.send(progress(told)).await {
            return;
        }
        loop {
            let news = tokio::select! {
                news = self.next(&mut watcher) => news,
                () = self.sender.closed() => return,
                // A server that cannot stop (a test's) does not end its streams.
                Ok(_) = stopping.wait_for(|stopping| *stopping) => break,
            };
            let is_sent = match news {
                Ok(Some(news)) => {
                    let before = std::mem::replace(&mut told, news.up_to);
                    self.sender.send(messages(news, before)).await
                }
                Ok(None) => return,
                Err(reason) => {
                    self.sender.send(end(&reason)).await;
                    return;
                }
            };
            if !is_sent {
                return;
            }
        }
        self.sender.send(end("the server stops; connect again")).await;
    }

    /// Returns what happened next, once the reader has taken what it was told before, or `None` if that was not in
    /// time.
    ///
    /// # Errors
    /// Says why the stream ends.
    async fn next(&self, watcher: &mut Watcher) -> Result<Option<News>, String> {
        if !self.sender.taken().await {
            return Ok(None);
        }
        if let Some(news) = watcher.next(self.heartbeat).await.map_err(reason)? {
            return Ok(Some(news));
        }
        let Ok(_place) = self.places.take(self.following.holders()).await else {
            tracing::info!("a stream of changes ends: its caller reads too much at once");
            return Err("you read too much at once; connect again".to_owned());
        };
        watcher.read().await.map(Some).map_err(reason)
    }
}

/// Returns what is told of why a stream ends.
///
/// What is wrong inside is for the log; the reader has to begin anew in any case.
fn reason(error: AppError) -> String {
    tracing::info!(%error, "a stream of changes ends");
    match &error {
        AppError::Unauthenticated(_) | AppError::Forbidden(_) => error.to_string(),
        _ => "the changes cannot be read for now; connect again".to_owned(),
    }
}

/// Returns a message for each change, and one that tells how far the reader is, if that is further: with it, nothing is
/// told twice or looked through again after the next connection.
///
/// If nothing happened at all, a sign of life.
fn messages(news: News, told: i64) -> String {
    let last = news.changes.last().map(|change| change.change_number);
    let mut messages: Vec<String> = news.changes.into_iter().map(message).collect();
    if last.unwrap_or(told) != news.up_to {
        messages.push(progress(news.up_to));
    }
    if messages.is_empty() {
        // No blank line behind it: to some readers, every blank line ends a message.
        return ": nothing new\n".to_owned();
    }
    messages.concat()
}

/// Tells up to which change everything has been told.
///
/// With content, because some readers hand out a message for every id.
fn progress(up_to: i64) -> String {
    format!(
        "id: {up_to}\nevent: progress\ndata: {}\n\n",
        json!({"sequence": up_to})
    )
}

fn message(change: WatchedChange) -> String {
    let set = |(service_id, version_set_name, revision)| SetEvent {
        service_id,
        version_set_name,
        revision,
    };
    let events = change.events.into_iter().map(|event| EventInstance {
        action: event.action,
        object: event.object,
        actor: event.actor,
        set: event.set.map(set),
    });
    let data = json!(ChangeInstance {
        sequence: change.change_number,
        created_at: rfc3339(change.created_at),
        events: events.collect(),
    });
    format!("id: {}\nevent: change\ndata: {data}\n\n", change.change_number)
}

fn end(reason: &str) -> String {
    format!("event: end\ndata: {}\n\n", json!({"reason": reason}))
}
