//! Contents of versions that somebody asked for: they never change, so what was read once need not be read again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use forge_domain::asset::AssetKind;
use forge_domain::{OrganizationId, VersionNumber};

/// How many bytes of contents are kept of one kind at the most.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Names a version.
pub(crate) type VersionKey = (OrganizationId, AssetKind, String, VersionNumber);

/// The contents that are kept: those read last. A `T` is cheap to clone.
#[derive(Debug)]
pub(crate) struct Documents<T>(Mutex<Kept<T>>);

impl<T> Default for Documents<T> {
    fn default() -> Self {
        Self(Mutex::new(Kept {
            versions: HashMap::new(),
            order: VecDeque::new(),
            bytes: 0,
        }))
    }
}

#[derive(Debug)]
struct Kept<T> {
    /// With the size of each text.
    versions: HashMap<VersionKey, (T, usize)>,
    /// In the order in which they were read.
    order: VecDeque<VersionKey>,
    bytes: usize,
}

impl<T: Clone> Documents<T> {
    pub(crate) fn find(&self, key: &VersionKey) -> Option<T> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.versions.get(key).map(|(content, _)| content.clone())
    }

    /// Keeps nothing any more.
    pub(crate) fn clear(&self) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.versions.clear();
        kept.order.clear();
        kept.bytes = 0;
    }

    /// Keeps a content whose text has so many bytes.
    pub(crate) fn keep(&self, key: VersionKey, content: &T, bytes: usize) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let replaced = kept.versions.insert(key.clone(), (content.clone(), bytes));
        if replaced.is_some() {
            return;
        }
        kept.bytes += bytes;
        kept.order.push_back(key);
        while kept.bytes > MAX_BYTES {
            let Some(oldest) = kept.order.pop_front() else {
                return;
            };
            if let Some((_, bytes)) = kept.versions.remove(&oldest) {
                kept.bytes -= bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: i64) -> VersionKey {
        let version = VersionNumber::try_from(number).unwrap();
        ("acme".parse().unwrap(), AssetKind::Agent, "a".to_owned(), version)
    }

    #[test]
    fn contents_are_kept_within_bounds_the_latest_read_longest() {
        let documents = Documents::default();
        for number in 1..=5 {
            documents.keep(key(number), &number, MAX_BYTES / 4);
        }
        assert!(documents.find(&key(1)).is_none());
        assert!((2..=5).all(|number| documents.find(&key(number)) == Some(number)));
        assert!(documents.0.lock().unwrap().bytes <= MAX_BYTES);
        documents.keep(key(6), &6, MAX_BYTES / 2);
        assert!((2..=3).all(|number| documents.find(&key(number)).is_none()));
        assert!((4..=6).all(|number| documents.find(&key(number)) == Some(number)));
    }

    #[test]
    fn what_is_kept_twice_counts_once() {
        let documents = Documents::default();
        for _ in 0..10 {
            documents.keep(key(1), &1, MAX_BYTES / 4);
        }
        assert!(documents.find(&key(1)).is_some());
    }
}
