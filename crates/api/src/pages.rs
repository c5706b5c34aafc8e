//! How many pages of lists are in memory at once.

use tokio::sync::{Semaphore, SemaphorePermit};

/// How many pages are read and written as JSON at once, whoever reads them: each is a few times as large in memory as
/// on the wire. The others wait; they wait for a database and a processor, never for a client.
const MOST: usize = 16;

static PLACES: Semaphore = Semaphore::const_new(MOST);

/// Waits until there is room for one more page in memory, and keeps it until the page is written as JSON.
pub(crate) async fn place() -> Option<SemaphorePermit<'static>> {
    // The semaphore is never closed.
    PLACES.acquire().await.ok()
}
