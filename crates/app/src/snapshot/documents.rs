//! Contents of versions that somebody asked for: they never change, so what was read once need not be read again.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use forge_domain::asset::AssetKind;
use forge_domain::{OrganizationId, VersionNumber};

/// How many bytes of contents are kept of one kind at most.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Of how many contents that are not kept any more it is known that somebody uses them, before those are forgotten that
/// nobody uses.
const MOST_IN_USE: usize = 1000;

/// What a quotation mark and what a comma or the beginning of a list or an object come to in memory, in bytes.
///
/// Measured as what the process had more of: 800,000 texts of one letter took 56 bytes each in a list (glibc, 64 bits),
/// and 80 with what the list had reserved but not invalidation; with its two quotation marks and a comma, each counts 100.
const OF_A_MARK: usize = 32;

/// Names a version.
pub(crate) type VersionKey = (OrganizationId, AssetKind, String, VersionNumber);

/// Returns how many bytes a document takes about once it is read, which may be many times what its text has.
pub(crate) fn parsed_bytes(text: &str) -> usize {
    let is_mark = |byte: &&u8| matches!(**byte, b'"' | b',' | b'[' | b'{');
    text.len() + text.as_bytes().iter().filter(is_mark).count() * OF_A_MARK
}

/// How large a content is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// How many bytes its text has.
    pub(crate) text: usize,
    /// How many bytes it takes in memory.
    pub(crate) memory: usize,
}

/// The contents that are kept: those read last, and those that somebody uses.
#[derive(Debug)]
pub(crate) struct Documents<T, K = VersionKey> {
    kept: Mutex<Kept<T, K>>,
    /// Held by whoever reads a large text: one after the other, and each once.
    pub(crate) reading: tokio::sync::Mutex<()>,
}

impl<T, K> Default for Documents<T, K> {
    fn default() -> Self {
        Self {
            kept: Mutex::new(Kept {
                versions: HashMap::new(),
                in_use: HashMap::new(),
                order: VecDeque::new(),
                bytes: 0,
            }),
            reading: tokio::sync::Mutex::default(),
        }
    }
}

#[derive(Debug)]
struct Kept<T, K> {
    versions: HashMap<K, (Arc<T>, Size)>,
    /// What is not kept any more but may be used.
    in_use: HashMap<K, (Weak<T>, Size)>,
    /// In the order in which they were read.
    order: VecDeque<K>,
    bytes: usize,
}

impl<T, K: Clone + Eq + Hash> Documents<T, K> {
    pub(crate) fn find(&self, key: &K) -> Option<Arc<T>> {
        self.find_with_size(key).map(|(content, _)| content)
    }

    /// Returns a content, with its size.
    pub(crate) fn find_with_size(&self, key: &K) -> Option<(Arc<T>, Size)> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((content, size)) = kept.versions.get(key) {
            return Some((Arc::clone(content), *size));
        }
        let (content, size) = kept.in_use.get(key)?;
        Some((content.upgrade()?, *size))
    }

    /// Keeps nothing any more.
    pub(crate) fn clear(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.versions.clear();
        kept.in_use.clear();
        kept.order.clear();
        kept.bytes = 0;
    }

    /// Keeps a content of a size.
    pub(crate) fn keep(&self, key: K, content: &Arc<T>, size: Size) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let replaced = kept.versions.insert(key.clone(), (Arc::clone(content), size));
        if replaced.is_some() {
            return;
        }
        kept.bytes += size.memory;
        kept.order.push_back(key);
        while kept.bytes > MAX_BYTES {
            let Some(oldest) = kept.order.pop_front() else {
                return;
            };
            if let Some((content, size)) = kept.versions.remove(&oldest) {
                kept.bytes -= size.memory;
                if kept.in_use.len() >= MOST_IN_USE {
                    kept.in_use.retain(|_, (content, _)| content.strong_count() > 0);
                }
                if Arc::strong_count(&content) > 1 {
                    kept.in_use.insert(oldest, (Arc::downgrade(&content), size));
                }
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

    fn of(memory: usize) -> Size {
        Size { text: 1, memory }
    }

    #[test]
    fn contents_are_kept_within_bounds_and_the_first_that_came_goes_first() {
        let documents = Documents::default();
        for number in 1..=5 {
            documents.keep(key(number), &Arc::new(number), of(MAX_BYTES / 4));
        }
        assert!(documents.find(&key(1)).is_none());
        assert!((2..=5).all(|number| documents.find(&key(number)) == Some(Arc::new(number))));
        assert!(documents.kept.lock().unwrap().bytes <= MAX_BYTES);
        documents.keep(key(6), &Arc::new(6), of(MAX_BYTES / 2));
        assert!((2..=3).all(|number| documents.find(&key(number)).is_none()));
        assert!((4..=6).all(|number| documents.find(&key(number)) == Some(Arc::new(number))));
    }

    #[test]
    fn what_is_kept_twice_counts_once() {
        let documents = Documents::default();
        for _ in 0..10 {
            documents.keep(key(1), &Arc::new(1), of(MAX_BYTES / 4));
        }
        assert!(documents.find(&key(1)).is_some());
    }

    #[test]
    fn what_somebody_uses_is_shared_also_if_it_is_too_large_to_be_kept() {
        let documents = Documents::default();
        let used = Arc::new(1);
        documents.keep(key(1), &used, of(MAX_BYTES + 1));
        assert_eq!(documents.kept.lock().unwrap().bytes, 0);
        assert!(Arc::ptr_eq(&documents.find(&key(1)).unwrap(), &used));
        drop(used);
        assert_eq!(documents.find(&key(1)), None);
        for number in 2..5_000 {
            documents.keep(key(number), &Arc::new(1), of(MAX_BYTES + 1));
        }
        assert!(documents.kept.lock().unwrap().in_use.len() <= MOST_IN_USE);
    }

    #[test]
    fn short_texts_are_counted_by_what_they_take_in_memory() {
        let texts = vec!["a"; 10_000];
        let document = serde_json::to_string(&texts).unwrap();
        let read: Vec<String> = serde_json::from_str(&document).unwrap();
        // The least that an allocator takes for a letter.
        let least = read.capacity() * size_of::<String>() + read.len() * 32;
        let counted = parsed_bytes(&document);
        assert!((least..3 * least).contains(&counted), "{counted}, {least}");
        let long = serde_json::to_string(&"a".repeat(10_000)).unwrap();
        assert!(parsed_bytes(&long) < 10_200);
    }
}
