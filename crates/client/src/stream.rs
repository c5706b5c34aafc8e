//! Answers that are read while they come.

use std::time::Duration;

use http::StatusCode;
use tokio::time::timeout;

use crate::error::{Call, Effect};
use crate::http::Response;
use crate::request::{Reply, Request};
use crate::secrets::Secrets;
use crate::session::{ATTEMPTS, backoff};
use crate::{Client, ClientError, HttpError};

/// An answer that is still coming.
pub(crate) struct Stream {
    call: Call,
    response: Response,
    /// How long it may be silent before it counts as broken.
    silence: Duration,
    /// What was sent and may come back.
    secrets: Secrets,
}

impl Client {
    /// Begins a request whose answer is read while it comes.
    pub(crate) async fn stream(&self, request: &Request) -> Result<Stream, ClientError> {
        let mut attempts = 0;
        let mut refused: Option<String> = None;
        loop {
            attempts += 1;
            let token = match refused.take() {
                Some(refused) => self.replace_token(&refused).await?,
                None => self.token().await?.0,
            };
            let failure = match self.begin(request, &token, attempts).await {
                // A token can end before its time: its key was replaced, or the user's rights have changed.
                Err(ClientError::NotSignedIn(_)) if attempts == 1 => {
                    refused = Some(token);
                    continue;
                }
                Err(failure @ (ClientError::Transport { .. } | ClientError::Busy { .. })) => failure,
                result => return result,
            };
            if attempts >= ATTEMPTS {
                return Err(failure);
            }
            self.wait(pause(&failure, attempts), &failure).await;
        }
    }

    async fn begin(&self, request: &Request, token: &str, attempts: u32) -> Result<Stream, ClientError> {
        let (call, prepared) = self.prepared(request, Some(token));
        let failed = |source| transport(call.clone(), attempts, source);
        let limit = self.bounds().request;
        let late = |_| silent(&call, limit);
        // What is asked of any request holds until it goes on as a stream.
        let begun = timeout(limit, self.begin_to_send(prepared));
        let response = begun.await.map_err(late)?.map_err(failed)?;
        let status = response.status;
        let secrets = self.secrets(Some(token));
        if status.is_success() {
            return Ok(Stream {
                call,
                response,
                silence: self.bounds().silence,
                secrets,
            });
        }
        let headers = response.headers.clone();
        let body = timeout(limit, self.body(response));
        let body = body.await.map_err(late)?.map_err(failed)?;
        let reply = Reply {
            call,
            status,
            headers,
            body,
            secrets,
            effect: Effect::Reads,
        };
        if matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        ) {
            return Err(ClientError::Busy {
                attempts,
                effect: Effect::Reads,
                retry_after: reply.retry_after().map(|pause| pause.as_secs()),
                detail: reply.detail(),
                call: reply.call,
            });
        }
        let call = reply.call.clone();
        match reply.into_json() {
            Err(refusal) => Err(refusal),
            Ok(_) => Err(ClientError::Refused {
                call,
                status: status.as_u16(),
                detail: "no reason given".to_owned(),
                request_id: None,
            }),
        }
    }
}

impl Stream {
    /// Returns what came next; nothing at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<impl AsRef<[u8]> + use<>>, ClientError> {
        match timeout(self.silence, self.response.chunk()).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(source)) => Err(ClientError::BrokenOff {
                call: self.call.clone(),
                source,
            }),
            Err(_) => Err(silent(&self.call, self.silence)),
        }
    }

    /// Returns the error of an answer that is not what the API documents.
    pub(crate) fn unexpected(&self, source: serde_json::Error) -> ClientError {
        ClientError::Unexpected {
            call: self.call.clone(),
            status: self.response.status.as_u16(),
            source: self.secrets.without_error(source),
        }
    }
}

fn silent(call: &Call, limit: Duration) -> ClientError {
    ClientError::Silent {
        call: call.clone(),
        seconds: limit.as_secs(),
    }
}

/// Returns how long to wait before the next attempt: what the server asks for, within reason.
pub(crate) fn pause(failure: &ClientError, attempts: u32) -> Duration {
    const LONGEST_PAUSE: Duration = Duration::from_secs(30);
    let asked = match failure {
        ClientError::Busy {
            retry_after: Some(seconds),
            ..
        } => Duration::from_secs(*seconds),
        _ => Duration::ZERO,
    };
    asked.max(backoff(attempts.min(8))).min(LONGEST_PAUSE)
}

/// The error of a stream that could not begin.
///
/// It reads only.
fn transport(call: Call, attempts: u32, source: HttpError) -> ClientError {
    if source.is_unsendable() {
        return ClientError::Unsendable { call, source };
    }
    ClientError::Transport {
        call,
        attempts,
        effect: Effect::Reads,
        source,
    }
}
