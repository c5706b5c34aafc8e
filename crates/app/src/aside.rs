//! Long work beside the workers that everybody shares.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use tokio::sync::Semaphore;

/// The size from which on work is done aside, in bytes.
pub const LARGE: usize = 64 * 1024;

/// How much large work is done at once: as many pieces as there are processors.
///
/// The others wait, which costs nothing.
static PLACES: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Arc::new(Semaphore::new(processors))
});

/// Does work that takes time in proportion to a size: at once if that is small, else on a thread of its own, so that
/// requests of others go on being answered.
pub async fn run<T: Send + 'static>(size: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
    if size <= LARGE {
        return work();
    }
    // The semaphore is never closed. The place belongs to the work, which goes on if nobody waits for it any more.
    let place = Arc::clone(&PLACES).acquire_owned().await;
    let work = move || {
        let _place = place;
        work()
    };
    on_a_thread(work).await
}

/// Does work like [`run`] but lets it wait for no place: for those for whom others wait, such as whoever writes.
pub async fn run_first<T: Send + 'static>(size: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
    if size <= LARGE {
        return work();
    }
    on_a_thread(work).await
}

async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let result = Arc::new(Mutex::new(None));
    let place = Arc::clone(&result);
    let work = move || {
        let done = work();
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
    };
    finish_on_a_thread(Box::new(work)).await;
    let done = result.lock().unwrap_or_else(PoisonError::into_inner).take();
    // What panicked has not come here.
    done.unwrap_or_else(|| unreachable!("work that has ended has a result"))
}

/// Does work of whatever type: what it takes to run a task is compiled once for all of them.
async fn finish_on_a_thread(work: Box<dyn FnOnce() + Send>) {
    if let Err(error) = tokio::task::spawn_blocking(work).await {
        // Nobody cancels it, so it panicked; that is for the same net as any other panic.
        std::panic::resume_unwind(error.into_panic());
    }
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
}
