//! How many read at once: all together, the users of an organization, and one user.
//!
//! Whatever is read may be large, whoever is told of it, and takes connections of the database, processors, and a few times
//! as much memory as it has on the wire. So every operation that reads takes a place before it begins and keeps it until
//! its answer is written as JSON; those who find none wait, which costs no more than their connection. As neither a user nor
//! the users of an organization have all places, others never wait for all that they ask for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use forge_contract::Operation;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use crate::bodies::Holders;
use crate::error::ApiError;

/// How many read at once, whoever they are.
///
/// They wait for a database and a processor, never for a client.
const MOST: usize = 16;

/// Which part of the database's readers the users of an organization, and one user, have: one in so many.
const ORGANIZATION_PART: usize = 2;
const USER_PART: usize = 3;

/// How long somebody waits for a place.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(10);

/// The operations with GET that need no place, and why.
///
/// Any other takes one.
const FROM_MEMORY: [(&str, &str); 3] = [
    ("get-models", "the catalogue is in memory"),
    (
        "resolve-version-set",
        "what runs is in memory, and waits for nobody",
    ),
    (
        "watch-organization",
        "it only begins; what it reads takes a place, part by part",
    ),
];

/// Returns `true` if an operation reads, so that it needs a place.
pub(crate) fn reads(operation: &Operation) -> bool {
    operation.method == "GET" && FROM_MEMORY.iter().all(|(id, _)| *id != operation.id)
}

/// The places of those who read.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    all: Arc<Semaphore>,
    /// How many an organization and a user have.
    parts: [usize; 2],
    queue_timeout: Duration,
    /// By organization, and by organization and user; of those who read, or wait for it.
    by_holder: Arc<Mutex<HashMap<String, Arc<Semaphore>>>>,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _permits: [OwnedSemaphorePermit; 3],
}

impl Places {
    /// Creates the places before a database that so many may read at once.
    pub(crate) fn new(readers: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(MOST)),
            parts: [ORGANIZATION_PART, USER_PART].map(|part| (readers / part).max(1)),
            queue_timeout: QUEUE_TIMEOUT,
            by_holder: Arc::default(),
        }
    }

    /// Waits for a place: first among the caller's own, so that who waits there is in nobody else's way.
    ///
    /// # Errors
    /// Refuses a caller who would wait for too long.
    pub(crate) async fn take(&self, holders: &Holders) -> Result<Place, ApiError> {
        let [organization, user] = self.of(holders);
        let taking = async {
            let user = user.acquire_owned().await?;
            let organization = organization.acquire_owned().await?;
            let all = Arc::clone(&self.all).acquire_owned().await?;
            Ok::<_, AcquireError>([user, organization, all])
        };
        match tokio::time::timeout(self.queue_timeout, taking).await {
            Ok(Ok(permits)) => Ok(Place { _permits: permits }),
            // No semaphore is ever closed.
            Ok(Err(_)) | Err(_) => Err(ApiError::TooManyReads),
        }
    }

    /// Returns the places of an organization and of a user.
    fn of(&self, holders: &Holders) -> [Arc<Semaphore>; 2] {
        let mut known = self.by_holder.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever has or waits for a permit shares the semaphore.
        known.retain(|_, places| Arc::strong_count(places) > 1);
        let [organization, user] = &**holders;
        [(organization, self.parts[0]), (user, self.parts[1])].map(|(holder, part)| {
            let places = known.entry(holder.clone());
            Arc::clone(places.or_insert_with(|| Arc::new(Semaphore::new(part))))
        })
    }
}

#[cfg(test)]
mod tests {
    use forge_contract::contract;
    use futures_util::FutureExt as _;

    use super::*;

    fn holders(organization: &str, user: &str) -> Holders {
        Arc::new([organization.to_owned(), format!("{organization}/{user}")])
    }

    /// Takes a place if there is one.
    fn take(places: &Places, organization: &str, user: &str) -> Option<Place> {
        let taken = places.take(&holders(organization, user)).now_or_never();
        taken.map(|taken| taken.unwrap())
    }

    #[tokio::test]
    async fn neither_a_user_nor_an_organization_has_all_places() {
        let places = Places::new(6);
        let mut held: Vec<Place> = (0..2).map_while(|_| take(&places, "one", "a")).collect();
        assert_eq!(held.len(), 2);
        assert!(take(&places, "one", "a").is_none(), "a third");
        held.extend(take(&places, "one", "b"));
        assert_eq!(held.len(), 3);
        assert!(take(&places, "one", "c").is_none(), "half");
        assert!(take(&places, "two", "a").is_some());
        held.pop();
        assert!(take(&places, "one", "c").is_some());
        drop(held);
        drop(take(&places, "three", "a"));
        assert!(
            places.by_holder.lock().unwrap().len() <= 2,
            "only of those who read"
        );
    }

    #[tokio::test]
    async fn who_waits_for_their_own_place_is_in_nobody_elses_way() {
        let places = Places::new(6);
        let mut held: Vec<Place> = (0..2).map_while(|_| take(&places, "one", "a")).collect();
        let one = holders("one", "a");
        let mut waiting: Vec<_> = (0..100).map(|_| Box::pin(places.take(&one))).collect();
        for one in &mut waiting {
            assert!(one.now_or_never().is_none());
        }
        assert!(take(&places, "one", "b").is_some());
        assert!(take(&places, "two", "a").is_some());
        held.pop();
        assert!(waiting.swap_remove(0).await.is_ok());
    }

    #[tokio::test]
    async fn who_waits_for_too_long_is_told_to_come_back() {
        let places = Places {
            queue_timeout: Duration::ZERO,
            ..Places::new(1)
        };
        let _held = take(&places, "one", "a").unwrap();
        let refused = places.take(&holders("one", "a")).await;
        assert!(matches!(refused, Err(ApiError::TooManyReads)));
    }

    #[test]
    fn every_get_reads_but_those_that_are_listed() {
        for operation in contract().operations() {
            let is_listed = FROM_MEMORY.iter().any(|(id, _)| *id == operation.id);
            assert_eq!(reads(operation), operation.method == "GET" && !is_listed);
        }
        for (id, _) in FROM_MEMORY {
            assert_eq!(contract().operation(id).unwrap().method, "GET", "{id}");
        }
    }
}
