//! Figures, and how they are printed.

use std::time::Duration;

/// How fast something was.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    /// How many there were in a second.
    pub per_second: f64,
    half: Duration,
    most: Duration,
}

impl Figures {
    /// Creates figures of the latencies that were seen in a time.
    ///
    /// # Panics
    /// If there are none.
    pub fn new(mut latencies: Vec<Duration>, time: Duration) -> Self {
        latencies.sort_unstable();
        let count = latencies.len();
        assert!(count > 0, "nothing was answered in time");
        Self {
            per_second: count as f64 / time.as_secs_f64(),
            half: latencies[count / 2],
            most: latencies[count * 99 / 100],
        }
    }

    /// Prints a row; with other figures, how many times as many these are.
    pub fn print(&self, name: &str, beside: Option<&Self>) {
        let ratio = beside.map_or_else(String::new, |other| {
            format!("{:.2}", self.per_second / other.per_second)
        });
        println!(
            "{name:<44} {:>9.0} {:>9} {:>9} {ratio:>7}",
            self.per_second,
            self.half.as_micros(),
            self.most.as_micros(),
        );
    }
}

/// Prints the titles of a table.
pub fn print_head(title: &str) {
    println!(
        "\n{title:<44} {:>9} {:>9} {:>9} {:>7}",
        "per s", "p50 µs", "p99 µs", "ratio"
    );
}

/// Prints what the figures were measured on.
///
/// # Panics
/// If the system does not tell.
pub fn print_machine() {
    let cores = std::thread::available_parallelism().unwrap();
    let seconds = super::seconds().as_secs_f64();
    println!("{cores} cores, which server and clients share; {seconds} s for each row");
}
