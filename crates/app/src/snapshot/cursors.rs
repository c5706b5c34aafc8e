//! Where pages ended while nothing could be written.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use forge_domain::{OrganizationId, Timestamp};
use forge_store::PageCursor;

/// How many places are kept at most; beyond that, the oldest ones are forgotten.
const MOST: usize = 1000;

/// Places where pages ended, and when they were kept.
#[derive(Debug, Default)]
pub(crate) struct PageCursors(Mutex<VecDeque<Kept>>);

#[derive(Debug)]
struct Kept {
    organization: OrganizationId,
    token: i64,
    cursor: PageCursor,
    at: Timestamp,
}

impl PageCursors {
    /// Returns the place that a number of an organization stands for, and when it was kept last.
    pub(crate) fn find(&self, organization: &OrganizationId, token: i64) -> Option<(PageCursor, Timestamp)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().rev();
        let mut found = found.filter(|kept| kept.token == token && kept.organization == *organization);
        found.next().map(|kept| (kept.cursor.clone(), kept.at))
    }

    /// Keeps a place.
    pub(crate) fn keep(&self, organization: &OrganizationId, token: i64, cursor: &PageCursor, at: Timestamp) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == MOST {
            kept.pop_front();
        }
        kept.push_back(Kept {
            organization: organization.clone(),
            token,
            cursor: cursor.clone(),
            at,
        });
    }
}
