//! Contents of versions that somebody asked for: they never change, so what was read once need not be read again.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use forge_domain::asset::AssetId;
use forge_domain::{OrganizationId, VersionNumber};
use quick_cache::unsync::Cache;
use quick_cache::{DefaultHashBuilder, Lifecycle, Options, OptionsBuilder, Weighter};

/// How many bytes of contents are kept of one kind at most.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// How many contents that are, where they are as large as most: the cache's guess at how much it has to remember.
const FEW: usize = 4000;

/// Of how many contents that are not kept any more it is known that somebody uses them, before those are forgotten that
/// nobody uses.
const MOST_IN_USE: usize = 1000;

/// What a quotation mark and what a comma or the beginning of a list or an object come to in memory, in bytes.
///
/// Measured as what the process had more of: 800,000 texts of one letter took 56 bytes each in a list (glibc, 64 bits),
/// and 80 with what the list had reserved but not invalidation; with its two quotation marks and a comma, each counts 100.
const OF_A_MARK: usize = 32;

/// Names a version.
pub(crate) type VersionKey = (OrganizationId, AssetId, VersionNumber);

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

/// The contents that are kept: those read last and those read again and again, and those that somebody uses.
#[derive(Debug)]
pub(crate) struct Documents<T, K = VersionKey> {
    kept: Mutex<Kept<T, K>>,
    /// Held by whoever reads a large text: one after the other, and each once.
    pub(crate) reading: tokio::sync::Mutex<()>,
}

impl<T, K: Eq + Hash> Default for Documents<T, K> {
    fn default() -> Self {
        Self {
            kept: Mutex::new(Kept {
                versions: Cache::with_options(bounds(), InMemory, DefaultHashBuilder::default(), Departures),
                in_use: HashMap::new(),
            }),
            reading: tokio::sync::Mutex::default(),
        }
    }
}

#[derive(Debug)]
struct Kept<T, K> {
    versions: Cache<K, Content<T>, InMemory, DefaultHashBuilder, Departures>,
    /// What is not kept any more but may be used.
    in_use: HashMap<K, (Weak<T>, Size)>,
}

type Content<T> = (Arc<T>, Size);

#[expect(clippy::expect_used, reason = "all that has to be set is set")]
fn bounds() -> Options {
    let mut options = OptionsBuilder::new();
    options.weight_capacity(MAX_BYTES as u64);
    options.estimated_items_capacity(FEW);
    // A content that was read once is not given up for those that were read twice, a while ago.
    options.hot_allocation(0.5);
    options.build().expect("bounds are complete")
}

/// A content weighs what it takes in memory.
#[derive(Debug, Clone)]
struct InMemory;

impl<T, K> Weighter<K, Content<T>> for InMemory {
    fn weight(&self, _: &K, content: &Content<T>) -> u64 {
        let size = content.1;
        // What weighs nothing would be kept forever.
        size.memory.max(1) as u64
    }
}

/// Collects what has to go.
#[derive(Debug, Clone)]
struct Departures;

impl<T, K> Lifecycle<K, Content<T>> for Departures {
    type RequestState = Vec<(K, Content<T>)>;

    fn on_evict(&self, gone: &mut Self::RequestState, key: K, content: Content<T>) {
        gone.push((key, content));
    }
}

impl<T, K: Eq + Hash> Documents<T, K> {
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
    }

    /// Keeps a content of a size.
    pub(crate) fn keep(&self, key: K, content: &Arc<T>, size: Size) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gone = Vec::new();
        kept.versions
            .insert_with_lifecycle(key, (Arc::clone(content), size), &mut gone);
        for (key, (content, size)) in gone {
            if kept.in_use.len() >= MOST_IN_USE {
                kept.in_use.retain(|_, (content, _)| content.strong_count() > 0);
            }
            if Arc::strong_count(&content) > 1 {
                kept.in_use.insert(key, (Arc::downgrade(&content), size));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use forge_domain::{AgentId, Timestamp};

    use super::*;

    fn key(number: i64) -> VersionKey {
        let version = VersionNumber::try_from(number).unwrap();
        let agent = AgentId::new(Timestamp::from_millis(0), [1; 8]);
        ("acme".parse().unwrap(), agent.into(), version)
    }

    fn of(memory: usize) -> Size {
        Size { text: 1, memory }
    }

    fn bytes<T, K: Eq + Hash>(documents: &Documents<T, K>) -> usize {
        usize::try_from(documents.kept.lock().unwrap().versions.weight()).unwrap()
    }

    #[test]
    fn contents_are_kept_within_bounds_and_those_that_are_read_again_longest() {
        let documents = Documents::default();
        for number in 1..=100 {
            documents.keep(key(number), &Arc::new(number), of(MAX_BYTES / 10));
            assert!(bytes(&documents) <= MAX_BYTES);
            assert_eq!(documents.find(&key(number)), Some(Arc::new(number)));
            assert_eq!(documents.find(&key(1)), Some(Arc::new(1)), "after {number}");
        }
        let kept = |number: &i64| documents.find(&key(*number)).is_some();
        assert!((2..=90).filter(kept).count() <= 9);
        assert!((91..=100).filter(kept).count() >= 4, "what was read last is kept");
    }

    #[test]
    fn what_is_kept_twice_counts_once() {
        let documents = Documents::default();
        for _ in 0..10 {
            documents.keep(key(1), &Arc::new(1), of(MAX_BYTES / 4));
        }
        assert!(documents.find(&key(1)).is_some());
        assert_eq!(bytes(&documents), MAX_BYTES / 4);
    }

    #[test]
    fn what_somebody_uses_is_shared_also_if_it_is_too_large_to_be_kept() {
        let documents = Documents::default();
        let used = Arc::new(1);
        documents.keep(key(1), &used, of(MAX_BYTES + 1));
        assert_eq!(bytes(&documents), 0);
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
