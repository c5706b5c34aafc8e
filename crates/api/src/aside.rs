//! Long work beside the workers that everybody shares.

use std::sync::LazyLock;

use tokio::sync::Semaphore;

/// The size of a body from which on it is read aside, in bytes.
const LARGE: usize = 64 * 1024;

/// How many large bodies are read at once: as many as there are processors. The others wait, which costs nothing.
static PLACES: LazyLock<Semaphore> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Semaphore::new(processors)
});

/// Does work that takes time in proportion to a size: at once if that is small, else on a thread of its own, so that
/// requests of others go on being answered.
pub(crate) async fn run<T: Send + 'static>(size: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
    if size <= LARGE {
        return work();
    }
    // The semaphore is never closed.
    let _place = PLACES.acquire().await;
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // Nobody cancels it, so it panicked; that is for the same net as any other panic.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
