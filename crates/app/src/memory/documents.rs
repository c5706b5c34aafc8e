//! Contents of versions that somebody asked for: they never change, so what was read once need not be read again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use forge_domain::refusal::AssetKind;
use forge_domain::{OrganizationId, VersionNumber};
use forge_store::AssetVersion;

/// How many bytes of contents are kept at the most.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Names a version.
pub(crate) type VersionKey = (OrganizationId, AssetKind, String, VersionNumber);

/// The contents that are kept: those read last.
#[derive(Debug, Default)]
pub(crate) struct Documents(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    versions: HashMap<VersionKey, Arc<AssetVersion>>,
    /// In the order in which they were read.
    order: VecDeque<VersionKey>,
    bytes: usize,
}

impl Documents {
    pub(crate) fn find(&self, key: &VersionKey) -> Option<Arc<AssetVersion>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.versions.get(key).cloned()
    }

    pub(crate) fn keep(&self, key: VersionKey, version: &Arc<AssetVersion>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.versions.insert(key.clone(), Arc::clone(version)).is_some() {
            return;
        }
        kept.bytes += size(version);
        kept.order.push_back(key);
        while kept.bytes > MAX_BYTES {
            let Some(oldest) = kept.order.pop_front() else {
                return;
            };
            if let Some(version) = kept.versions.remove(&oldest) {
                kept.bytes -= size(&version);
            }
        }
    }
}

fn size(version: &AssetVersion) -> usize {
    version.document.get().len()
}

#[cfg(test)]
mod tests {
    use forge_domain::{Timestamp, UserRef};
    use serde_json::value::RawValue;

    use super::*;

    fn key(number: i64) -> VersionKey {
        let version = VersionNumber::try_from(number).unwrap();
        ("acme".parse().unwrap(), AssetKind::Agent, "a".to_owned(), version)
    }

    fn version(number: i64, bytes: usize) -> Arc<AssetVersion> {
        Arc::new(AssetVersion {
            version: VersionNumber::try_from(number).unwrap(),
            document: RawValue::from_string(format!("\"{}\"", "x".repeat(bytes))).unwrap(),
            creator: UserRef {
                org_id: "acme".parse().unwrap(),
                user_id: "u".to_owned(),
            },
            created_at: Timestamp::from_millis(0),
        })
    }

    #[test]
    fn contents_are_kept_within_bounds_the_latest_read_longest() {
        let documents = Documents::default();
        for number in 1..=5 {
            documents.keep(key(number), &version(number, MAX_BYTES / 4));
        }
        assert!(documents.find(&key(1)).is_none() && documents.find(&key(2)).is_none());
        assert!((3..=5).all(|number| documents.find(&key(number)).is_some()));
        assert!(documents.0.lock().unwrap().bytes <= MAX_BYTES);
    }

    #[test]
    fn what_is_kept_twice_counts_once() {
        let documents = Documents::default();
        for _ in 0..10 {
            documents.keep(key(1), &version(1, MAX_BYTES / 4));
        }
        assert!(documents.find(&key(1)).is_some());
    }
}
