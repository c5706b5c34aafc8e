//! How much of what callers send, and of what they are sent, is held in memory together.
//!
//! Small bodies are not counted: what they take is bounded by the number of connections, and they never wait for large
//! ones. Large ones are counted as they come, so that whoever only announces one takes no place of others, and until the
//! request is answered; large answers, apart from them, until they are sent. Whoever would hold too much is refused at once; neither a user nor the users of an organization can hold
//! everything.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::response::Response;
use forge_app::{Caller, aside};
use hyper::body::{Body as _, Frame, SizeHint};

use crate::error::ApiError;

/// The size up to which a body is not counted, in bytes: that of what is done at once.
const SMALL: usize = aside::LARGE;

/// The names under which is counted what a caller holds.
pub(crate) type Holders = Arc<[String; 2]>;

/// Which part of everything the users of an organization, and one user, may hold: one in so many.
const ORGANIZATION_PART: usize = 2;
const USER_PART: usize = 8;

/// Counts the bytes that are held.
#[derive(Debug, Clone)]
pub(crate) struct Bodies {
    most: usize,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    /// By organization, and by organization and user; those who hold nothing are not there.
    by_holder: HashMap<String, usize>,
}

/// A place for bytes, until it is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    counts: Arc<Mutex<Counts>>,
    holders: Holders,
    bytes: usize,
}

/// Returns the names under which is counted what a caller holds.
///
/// Whoever is not known is one caller with all others of the kind.
pub(crate) fn holders(caller: Option<&Caller>) -> Holders {
    let (organization, user) = match caller {
        Some(caller) => (caller.user.org_id.to_string(), caller.user.user_id.as_str()),
        None => (String::new(), ""),
    };
    let user = format!("{organization}/{user}");
    Arc::new([organization, user])
}

/// In which steps the place of a body grows, in bytes.
const STEP: usize = SMALL;

/// The place of a body that comes piece by piece.
#[derive(Debug)]
pub(crate) struct Growing {
    bodies: Bodies,
    holders: Holders,
    largest: usize,
    held: Vec<Reservation>,
}

impl Growing {
    /// Returns the names of whose body it is.
    pub(crate) fn holders(&self) -> &Holders {
        &self.holders
    }

    /// Returns how large the body may be; 0 if it is not read.
    pub(crate) fn largest(&self) -> usize {
        self.largest
    }

    /// Ensures that there is a place for so many bytes of the body.
    ///
    /// # Errors
    /// Refuses a body that grows where there is no place any more.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> Result<(), ApiError> {
        if bytes <= SMALL {
            return Ok(());
        }
        while self.held.len() * STEP < bytes {
            let held = self
                .bodies
                .take(&self.holders, STEP, self.largest.saturating_add(STEP));
            self.held.push(held?);
        }
        Ok(())
    }
}

impl Bodies {
    /// Begins a place for a body of a caller, which may become so large.
    pub(crate) fn growing(&self, holders: Holders, largest: usize) -> Growing {
        Growing {
            bodies: self.clone(),
            holders,
            largest,
            held: Vec::new(),
        }
    }

    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            counts: Arc::default(),
        }
    }

    /// Takes a place for so many bytes; none is needed if they are few.
    fn reserve(&self, holders: &Holders, bytes: usize) -> Result<Option<Reservation>, ApiError> {
        if bytes <= SMALL {
            return Ok(None);
        }
        self.take(holders, bytes, bytes).map(Some)
    }

    /// Takes a place for so many bytes.
    ///
    /// The part of a caller, and the whole, are never less than one body: `largest` says how large that may be.
    fn take(&self, holders: &Holders, bytes: usize, largest: usize) -> Result<Reservation, ApiError> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = [ORGANIZATION_PART, USER_PART].map(|part| (self.most / part).max(largest));
        let is_own = holders.iter().zip(parts).any(|(holder, part)| {
            counts
                .by_holder
                .get(holder)
                .is_some_and(|held| held.saturating_add(bytes) > part)
        });
        let is_full = counts.all.saturating_add(bytes) > self.most.max(largest);
        if is_own || is_full {
            return Err(ApiError::TooMuchHeld { is_own });
        }
        counts.all += bytes;
        for holder in holders.iter() {
            *counts.by_holder.entry(holder.clone()).or_default() += bytes;
        }
        drop(counts);
        Ok(Reservation {
            counts: Arc::clone(&self.counts),
            holders: Arc::clone(holders),
            bytes,
        })
    }
}

/// Marks an answer whose body is in memory once, however many are sent it.
#[derive(Clone, Copy)]
struct Shared;

/// Says of an answer that its body is in memory once, however many are sent it: it needs no place.
pub(crate) fn shared(mut response: Response) -> Response {
    response.extensions_mut().insert(Shared);
    response
}

/// An answer's body whose pieces keep its place until they are sent.
struct Kept {
    body: Body,
    place: Arc<Reservation>,
}

/// A piece of an answer.
///
/// The server drops a body once it has all of it, and keeps the pieces until the client took them.
struct Piece {
    bytes: Bytes,
    _place: Arc<Reservation>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl hyper::body::Body for Kept {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        let place = &self.place;
        polled.map(|frame| Some(frame?.map(|frame| frame.map_data(|bytes| kept(bytes, place)))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body that comes piece by piece, of which each takes a place of its own while the client takes it.
///
/// The next one is not asked for before that. Where there is no place for a piece, the answer breaks off.
struct Counted {
    body: Body,
    bodies: Bodies,
    holders: Holders,
}

impl hyper::body::Body for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        polled.map(|frame| {
            let frame = match frame? {
                Ok(frame) => frame,
                Err(error) => return Some(Err(error)),
            };
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            Some(match self.bodies.reserve(&self.holders, bytes) {
                Ok(None) => Ok(frame),
                Ok(Some(place)) => Ok(frame.map_data(|bytes| kept(bytes, &Arc::new(place)))),
                Err(_) => {
                    tracing::info!("an answer breaks off: its client takes too much too slowly");
                    Err(axum::Error::new("too much is sent at once"))
                }
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Returns bytes that keep a place until they are sent.
fn kept(bytes: Bytes, place: &Arc<Reservation>) -> Bytes {
    Bytes::from_owner(Piece {
        bytes,
        _place: Arc::clone(place),
    })
}

impl Bodies {
    /// Gives an answer that is large a place until it is sent: the client may take its time, and what it is told waits
    /// in memory meanwhile.
    ///
    /// # Errors
    /// Refuses one for which there is no place: to wait would take room, too.
    pub(crate) fn keep(&self, holders: &Holders, response: Response) -> Result<Response, ApiError> {
        if response.extensions().get::<Shared>().is_some() {
            return Ok(response);
        }
        let Some(size) = response.body().size_hint().exact() else {
            let (bodies, holders) = (self.clone(), Arc::clone(holders));
            return Ok(response.map(|body| {
                Body::new(Counted {
                    body,
                    bodies,
                    holders,
                })
            }));
        };
        let Some(place) = self.reserve(holders, usize::try_from(size).unwrap_or(usize::MAX))? else {
            return Ok(response);
        };
        let place = Arc::new(place);
        Ok(response.map(|body| Body::new(Kept { body, place })))
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all -= self.bytes;
        for holder in self.holders.iter() {
            if let Some(held) = counts.by_holder.get_mut(holder) {
                *held -= self.bytes;
                if *held == 0 {
                    counts.by_holder.remove(holder);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    const MEBIBYTE: usize = 1024 * 1024;

    fn user(organization: &str, user: &str) -> Holders {
        Arc::new([organization.to_owned(), format!("{organization}/{user}")])
    }

    /// Takes a place for a large body; else tells whether the caller holds too much themselves.
    fn reserve(bodies: &Bodies, holders: Holders) -> Result<Option<Reservation>, bool> {
        let held = bodies.reserve(&holders, MEBIBYTE);
        held.map_err(|error| matches!(error, ApiError::TooMuchHeld { is_own: true }))
    }

    #[test]
    fn neither_a_user_nor_an_organization_holds_everything() {
        let bodies = Bodies::new(16 * MEBIBYTE);
        let mut all = Vec::new();
        for name in ["a", "b", "c", "d"] {
            all.push(reserve(&bodies, user("one", name)).unwrap());
            all.push(reserve(&bodies, user("one", name)).unwrap());
            assert!(reserve(&bodies, user("one", name)).unwrap_err(), "{name}");
        }
        assert!(reserve(&bodies, user("one", "e")).unwrap_err(), "half of all");
        for name in ["a", "b", "c", "d"] {
            all.push(reserve(&bodies, user("other", name)).unwrap());
            all.push(reserve(&bodies, user("other", name)).unwrap());
        }
        assert!(!reserve(&bodies, user("third", "a")).unwrap_err(), "all of it");
        assert!(bodies.reserve(&user("third", "a"), SMALL).unwrap().is_none());
        all.pop();
        assert!(reserve(&bodies, user("third", "a")).is_ok());
        drop(all);
        let counts = bodies.counts.lock().unwrap();
        assert!(counts.all == 0 && counts.by_holder.is_empty());
    }

    #[tokio::test]
    async fn an_answer_has_its_place_until_it_is_sent() {
        let bodies = Bodies::new(4 * MEBIBYTE);
        let answer = |bytes: usize| Response::new(Body::from(vec![0; bytes]));
        let mut one = bodies.keep(&user("one", "a"), answer(MEBIBYTE)).unwrap();
        assert!(bodies.keep(&user("one", "a"), answer(MEBIBYTE)).is_err());
        let small = bodies.keep(&user("one", "a"), answer(SMALL));
        assert_eq!(small.unwrap().body().size_hint().exact(), Some(SMALL as u64));
        // The server has all of it, and the client nothing.
        let piece = one.body_mut().frame().await.unwrap().unwrap();
        drop(one);
        assert!(bodies.keep(&user("one", "a"), answer(MEBIBYTE)).is_err());
        drop(piece);
        assert!(bodies.keep(&user("one", "a"), answer(MEBIBYTE)).is_ok());
    }

    #[test]
    fn a_body_takes_the_place_of_what_has_come_of_it() {
        let bodies = Bodies::new(4 * MEBIBYTE);
        let mut idle: Vec<Growing> = (0..100)
            .map(|_| bodies.growing(user("one", "a"), MEBIBYTE))
            .collect();
        for body in &mut idle {
            body.grow_to(SMALL).unwrap();
        }
        assert_eq!(bodies.counts.lock().unwrap().all, 0);
        let mut body = bodies.growing(user("one", "b"), MEBIBYTE);
        for bytes in [SMALL + 1, MEBIBYTE / 2, MEBIBYTE / 2, MEBIBYTE] {
            body.grow_to(bytes).unwrap();
        }
        assert_eq!(bodies.counts.lock().unwrap().all, MEBIBYTE);
        let mut next = bodies.growing(user("one", "b"), MEBIBYTE);
        assert!(next.grow_to(MEBIBYTE).is_err(), "more than the part of one user");
        drop((body, next));
        assert_eq!(bodies.counts.lock().unwrap().all, 0);
    }

    #[test]
    fn one_body_has_a_place_however_little_is_admitted() {
        let bodies = Bodies::new(1);
        let held = reserve(&bodies, user("one", "a")).unwrap();
        assert!(!reserve(&bodies, user("two", "a")).unwrap_err());
        drop(held);
        assert!(reserve(&bodies, user("two", "a")).is_ok());
    }
}
