//! Long work beside the workers that everybody shares, and how much of it is in memory at once.

use std::sync::{Arc, LazyLock};

use axum::body::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use crate::error::ApiError;

/// The size from which on a body is read, and an answer is written, aside, in bytes.
pub(crate) const LARGE: usize = 64 * 1024;

/// How many large bodies are read or written at once: as many as there are processors. The others wait, which costs nothing.
static PLACES: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Arc::new(Semaphore::new(processors))
});

/// Does work that takes time in proportion to a size: at once if that is small, else on a thread of its own, so that
/// requests of others go on being answered.
pub(crate) async fn run<T: Send + 'static>(size: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
    if size <= LARGE {
        return work();
    }
    // The semaphore is never closed. The place belongs to the work, which goes on if nobody waits for it any more.
    let place = Arc::clone(&PLACES).acquire_owned().await;
    let work = move || {
        let _place = place;
        work()
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // Nobody cancels it, so it panicked; that is for the same net as any other panic.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// How many pages are read and written as JSON at once, whoever reads them: each is a few times as large in memory as
/// on the wire. The others wait; they wait for a database and a processor, never for a client.
const PAGES: usize = 16;

static PAGE_PLACES: Semaphore = Semaphore::const_new(PAGES);

/// Waits until there is room for one more page in memory, and keeps it until the page is written as JSON.
pub(crate) async fn page_place() -> Option<SemaphorePermit<'static>> {
    // The semaphore is never closed.
    PAGE_PLACES.acquire().await.ok()
}

/// How much the large answers have together that clients have not taken yet, in KiB. A client may take its time: what
/// it is told waits in memory meanwhile.
const UNTAKEN_KIB: usize = 256 * 1024;

static UNTAKEN: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(UNTAKEN_KIB)));

/// An answer in memory, and the room that it takes until the client has it.
struct Held {
    bytes: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Keeps a large answer until the client has taken it.
///
/// # Errors
/// Refuses one for which there is no room: to wait would take room, too.
pub(crate) fn hold(bytes: Vec<u8>) -> Result<Bytes, ApiError> {
    hold_in(&UNTAKEN, bytes)
}

fn hold_in(room: &Arc<Semaphore>, bytes: Vec<u8>) -> Result<Bytes, ApiError> {
    // One that is larger than all of the room takes all of it.
    let kib = u32::try_from(bytes.len().div_ceil(1024).min(UNTAKEN_KIB)).unwrap_or(u32::MAX);
    let room = Arc::clone(room).try_acquire_many_owned(kib);
    let room = room.map_err(|_| ApiError::TooManyUntaken)?;
    Ok(Bytes::from_owner(Held { bytes, _room: room }))
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn work_that_nobody_waits_for_any_more_keeps_its_place() {
        let places = PLACES.available_permits();
        let (begun, ended) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let work = {
            let (begun, ended) = (Arc::clone(&begun), Arc::clone(&ended));
            move || {
                begun.wait();
                ended.wait();
            }
        };
        let caller = tokio::spawn(run(LARGE + 1, work));
        let meet = |barrier: Arc<Barrier>| tokio::task::spawn_blocking(move || barrier.wait());
        meet(begun).await.unwrap();
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        assert_eq!(PLACES.available_permits(), places - 1, "the work goes on");
        meet(ended).await.unwrap();
        while PLACES.available_permits() < places {
            tokio::task::yield_now().await;
        }
    }

    #[test]
    fn an_answer_takes_room_until_nobody_holds_it_and_without_room_it_is_refused() {
        let room = Arc::new(Semaphore::new(UNTAKEN_KIB));
        let half = UNTAKEN_KIB * 1024 / 2;
        let answers = [0, 1].map(|_| hold_in(&room, vec![0; half]).unwrap());
        assert_eq!(room.available_permits(), 0);
        assert!(matches!(hold_in(&room, vec![0]), Err(ApiError::TooManyUntaken)));
        drop(answers);
        assert_eq!(hold_in(&room, vec![7; 3]).unwrap(), [7; 3].as_slice());
        assert_eq!(room.available_permits(), UNTAKEN_KIB);
    }
}
