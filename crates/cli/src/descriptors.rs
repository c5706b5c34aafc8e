//! How many files a server may have open, and how many of them are for clients.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What a server needs beside the connections of clients: the database, the log, the admin socket and its reserve.
const OWN: u64 = 96;

/// The fewest clients that are admitted, however low the limit is.
const FEWEST: u64 = 8;

/// Raises the limit of open files to what the process may have, and returns what it is then, or `None` if there is
/// none.
pub(crate) fn raise_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Some systems name a maximum that they do not grant; then it stays as it is.
    let is_raised = limit.current == limit.maximum || setrlimit(Resource::Nofile, raised).is_ok();
    if is_raised { limit.maximum } else { limit.current }
}

/// Returns how many connections of clients fit into a limit of open files: each may need one more, to a model provider
/// or a tool, though few do at the same time.
pub(crate) fn connections(limit: Option<u64>, wanted: usize) -> usize {
    let fitting = limit.map_or(u64::MAX, |limit| (limit.saturating_sub(OWN) / 4 * 3).max(FEWEST));
    wanted.min(usize::try_from(fitting).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_leave_descriptors_for_everything_else() {
        for (limit, wanted, expected) in [
            (None, 10_000, 10_000),
            (Some(1 << 20), 10_000, 10_000),
            (Some(1024), 10_000, 696),
            (Some(1024), 100, 100),
            (Some(256), 10_000, 120),
            (Some(96), 10_000, 8),
            (Some(0), 10_000, 8),
            (Some(0), 1, 1),
        ] {
            assert_eq!(connections(limit, wanted), expected, "{limit:?}, {wanted}");
        }
    }
}
