//! What is under way, for who interrupts it.

use std::sync::Mutex;

/// What is under way: what to say if it is interrupted.
static UNDER_WAY: Mutex<Option<String>> = Mutex::new(None);

/// Waits for something, and remembers meanwhile what to say to whoever interrupts it.
pub(crate) async fn unless_interrupted<T>(hint: String, work: impl Future<Output = T>) -> T {
    let set = |value| {
        if let Ok(mut under_way) = UNDER_WAY.lock() {
            *under_way = value;
        }
    };
    set(Some(hint));
    let result = work.await;
    set(None);
    result
}

/// Returns what to say of what is under way, if there is something.
pub(crate) fn hint() -> Option<String> {
    UNDER_WAY.lock().ok()?.clone()
}
