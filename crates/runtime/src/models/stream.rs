//! What a provider answers, as it comes. No more of it is read than anybody waits for, and no more is held than a frame.

use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Response};
use tokio::time::{Instant, timeout_at};

use super::frames::{Frames, Unreadable};
use super::protocol::{Protocol, Reading, milliseconds, refusal_of};
use super::request::{Failure, too_long};
use crate::Limits;

/// The most bytes of an answer that is read, frames, thoughts and all: a token of a thought comes in a frame of some
/// hundred bytes, and no model thinks for longer than some hundred thousand tokens.
const MOST_BYTES: usize = 64 << 20;

/// The most bytes that are read of what a provider says instead of an answer.
const MOST_ERROR_BYTES: usize = 64 << 10;

/// An answer that is on its way.
pub(super) struct Stream {
    response: Response,
    /// Nothing, once the provider has come to its end.
    frames: Option<Frames>,
    bytes: usize,
    pub(super) reading: Reading,
}

impl Stream {
    /// Asks a provider, and returns its answer once that begins.
    pub(super) async fn open(
        protocol: Protocol,
        request: RequestBuilder,
        deadline: Instant,
        limits: &Limits,
    ) -> Result<Self, Failure> {
        let response = timeout_at(deadline, request.send())
            .await
            .map_err(|_| Failure::temporary(too_long(limits)))?
            .map_err(|error| connection_failure(&error))?;
        if !response.status().is_success() {
            return Err(refused(response, deadline).await);
        }
        Ok(Self {
            response,
            frames: Some(Frames::new(protocol.cut())),
            bytes: 0,
            reading: Reading::new(protocol),
        })
    }

    /// Returns `true` if anything of the answer has come: a sign of life, even if it says nothing.
    ///
    /// Many models think in silence.
    pub(super) fn has_begun(&self) -> bool {
        self.bytes > 0
    }

    /// Waits until there is something to do about what was read, and tells whether more may follow.
    pub(super) async fn next(&mut self) -> Result<bool, Failure> {
        while !self.reading.has_news() {
            let chunk = self.response.chunk().await;
            let chunk = chunk.map_err(|error| connection_failure(&error))?;
            let reading = &mut self.reading;
            let read = match (&chunk, self.frames.as_mut()) {
                (Some(chunk), Some(frames)) => {
                    self.bytes += chunk.len();
                    if self.bytes > MOST_BYTES {
                        return Err(Failure::cut_off(format!(
                            "the provider sent more than {MOST_BYTES} bytes, thoughts and all"
                        )));
                    }
                    frames.push(chunk, |frame| reading.frame(frame))
                }
                _ => self
                    .frames
                    .take()
                    .map_or(Ok(()), |frames| frames.finish(|frame| reading.frame(frame))),
            };
            read.map_err(|Unreadable| Failure::setup("the provider's answer is no answer of its protocol"))?;
            if chunk.is_none() {
                return Ok(false);
            }
        }
        Ok(!self.reading.is_over())
    }
}

/// Says what a provider has against a request, in words of our own: its own may quote what was sent.
async fn refused(mut response: Response, deadline: Instant) -> Failure {
    let status = response.status().as_u16();
    let asked = retry_after_ms(response.headers());
    let mut body = Vec::new();
    // What comes too late or breaks off does not matter: the status says enough.
    while let Ok(Ok(Some(chunk))) = timeout_at(deadline, response.chunk()).await {
        let left = MOST_ERROR_BYTES - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(left)]);
        if chunk.len() >= left {
            break;
        }
    }
    let mut failure = refusal_of(status, &String::from_utf8_lossy(&body));
    failure.retry_after_ms = failure.retry_after_ms.max(asked);
    failure
}

fn connection_failure(error: &reqwest::Error) -> Failure {
    Failure::temporary(if error.is_connect() {
        "the provider cannot be connected to"
    } else {
        "the connection to the provider broke off"
    })
}

/// Returns for how long the headers of an answer ask to leave a provider alone: in milliseconds, in seconds, or until a
/// time.
///
/// That is measured by the provider's own clock, which is the one that it goes by.
fn retry_after_ms(headers: &HeaderMap) -> Option<u64> {
    let header = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(text) = header("retry-after-ms") {
        return text.parse().ok();
    }
    let asked = header("retry-after")?;
    milliseconds(asked).or_else(|| {
        let until = httpdate::parse_http_date(asked).ok()?;
        let now = httpdate::parse_http_date(header("date")?).ok()?;
        let pause = until.duration_since(now).unwrap_or_default();
        Some(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX))
    })
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn a_pause_is_a_number_or_a_time_by_the_providers_clock() {
        let now = "Fri, 27 Nov 2026 08:00:00 GMT";
        for (headers, pause) in [
            (vec![("retry-after", "2")], Some(2000)),
            (vec![("retry-after", "0")], Some(0)),
            (vec![("retry-after", "2"), ("retry-after-ms", "1500")], Some(1500)),
            (
                vec![("date", now), ("retry-after", "Fri, 27 Nov 2026 08:00:07 GMT")],
                Some(7000),
            ),
            (
                vec![("date", now), ("retry-after", "Fri, 27 Nov 2026 07:00:00 GMT")],
                Some(0),
            ),
            (vec![("retry-after", "Fri, 27 Nov 2026 08:00:07 GMT")], None),
            (vec![("date", now), ("retry-after", "soon")], None),
            (vec![("retry-after", "-1")], None),
            (vec![], None),
        ] {
            let all: HeaderMap = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            assert_eq!(retry_after_ms(&all), pause, "{headers:?}");
        }
    }
}
