//! What sets mean, for runtimes that ask at every conversation start.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use forge_types::{ServiceId, SetName, Timestamp};
use http::StatusCode;

use crate::answers::Resolution;
use crate::request::{Reply, Request};
use crate::{Client, ClientError, Document};

/// How long the server is waited for where an earlier answer is at hand.
const PATIENCE: Duration = Duration::from_secs(2);

/// Resolves sets: the server is asked every time, but sends only what has changed, and while it cannot answer, what it
/// said last is good enough.
pub struct ResolveCache {
    client: Client,
    known: Mutex<HashMap<(ServiceId, SetName), Known>>,
}

/// What the server said last.
#[derive(Clone)]
struct Known {
    etag: Option<String>,
    resolution: Document<Resolution>,
    /// When it said that.
    at: Timestamp,
}

/// What a set means.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// What the server said.
    pub resolution: Document<Resolution>,
    /// Since when the server could not be asked whether this is still so, or `None` if it just said so.
    pub unconfirmed_since: Option<Timestamp>,
}

impl ResolveCache {
    /// A cache that knows nothing yet.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            known: Mutex::new(HashMap::new()),
        }
    }

    /// Returns what a set means now, or, while the server cannot answer, what it meant last.
    ///
    /// # Errors
    /// Fails where there is no such set (any more), or the user may not resolve it (any more); and if the server cannot answer
    /// and has not said before what the set means.
    pub async fn resolve(&self, service: ServiceId, name: &SetName) -> Result<Resolved, ClientError> {
        let key = (service, name.clone());
        let known = self.known().get(&key).cloned();
        let mut request = Request::get(format!("service/{service}/version_sets/{name}/resolve"));
        if let Some(etag) = known.as_ref().and_then(|known| known.etag.as_ref()) {
            request = request.header("If-None-Match", etag);
        }
        let Some(known) = known else {
            let reply = self.client.send(&request).await?;
            return self.answered(key, reply);
        };
        let last = Resolved {
            resolution: known.resolution.clone(),
            unconfirmed_since: Some(known.at),
        };
        let answer = match tokio::time::timeout(PATIENCE, self.client.send(&request)).await {
            Ok(Ok(reply)) if reply.status == StatusCode::NOT_MODIFIED => {
                let at = self.client.now();
                self.known().insert(key, Known { at, ..known });
                return Ok(Resolved {
                    unconfirmed_since: None,
                    ..last
                });
            }
            Ok(Ok(reply)) => self.answered(key.clone(), reply),
            Ok(Err(error)) => Err(error),
            Err(_) => return Ok(last),
        };
        match answer {
            Err(error) if error.can_pass() => Ok(last),
            Err(error) => {
                // What is gone, or not to be seen any more, does not come back by itself.
                self.known().remove(&key);
                Err(error)
            }
            answer => answer,
        }
    }

    fn answered(&self, key: (ServiceId, SetName), reply: Reply) -> Result<Resolved, ClientError> {
        let etag = reply.headers.get("etag").and_then(|etag| etag.to_str().ok());
        let etag = etag.map(str::to_owned);
        let unexpected = reply.unexpected();
        let resolution: Document<Resolution> = Document::read(reply.into_json()?).map_err(unexpected)?;
        let at = self.client.now();
        let known = Known {
            etag,
            resolution: resolution.clone(),
            at,
        };
        self.known().insert(key, known);
        Ok(Resolved {
            resolution,
            unconfirmed_since: None,
        })
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<(ServiceId, SetName), Known>> {
        // Every change of the map is one insertion or removal, so that it is whole at any time.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
