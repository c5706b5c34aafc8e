//! How long a test that could go on for ever does.

use std::time::{Duration, Instant};

/// The time that a test may take, from a variable.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    end: Option<Instant>,
}

impl Budget {
    /// Begins to count: the seconds in the variable, or else the default.
    ///
    /// `0` stands for no end.
    ///
    /// # Panics
    /// If the variable holds something else than a number of seconds.
    pub fn from_variable(variable: &str, default_seconds: u64) -> Self {
        let seconds = match std::env::var(variable) {
            Ok(text) => text
                .parse()
                .unwrap_or_else(|_| panic!("{variable} must be a number of seconds, not `{text}`")),
            Err(_) => default_seconds,
        };
        let end = (seconds > 0).then(|| Instant::now() + Duration::from_secs(seconds));
        Self { end }
    }

    /// Returns `true` if the time is up.
    pub fn is_used_up(&self) -> bool {
        self.end.is_some_and(|end| Instant::now() >= end)
    }
}
