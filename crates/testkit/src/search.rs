//! Looking for secrets in what the tests wrote.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};

/// How long a secret must be to be told from other text, in bytes.
pub const SHORTEST: usize = 12;

/// How much of the end of a secret is looked for, in bytes.
const LONGEST: usize = 32;

/// What a run of all tests makes, each kind at least once.
const KINDS_OF_SECRETS: [&str; 6] = [
    "API key",
    "master key",
    "private key",
    "sealed key",
    "sensitive variable",
    "token",
];

/// What a run of all tests writes, each kind at least once.
const KINDS_OF_TEXTS: [&str; 6] = [
    "audit rows",
    "debug",
    "error bodies",
    "log",
    "server log",
    "stderr",
];

/// What was looked at.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many secrets, by kind.
    pub secrets: BTreeMap<String, usize>,
    /// How many bytes were written, by kind.
    pub texts: BTreeMap<String, usize>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secrets = self
            .secrets
            .iter()
            .map(|(kind, count)| format!("{count} × {kind}"));
        let texts = self
            .texts
            .iter()
            .map(|(kind, bytes)| format!("{kind} {} KiB", bytes.div_ceil(1024)));
        let (secrets, texts): (Vec<_>, Vec<_>) = (secrets.collect(), texts.collect());
        write!(f, "looked for {} in {}", secrets.join(", "), texts.join(", "))
    }
}

/// Why a search did not end well.
///
/// No text of this has a secret in it.
#[derive(Debug, PartialEq, Eq)]
pub enum SearchError {
    /// The tests kept too little for the search to prove anything: these kinds are missing.
    Missing(Vec<&'static str>),
    /// Secrets are where they do not belong: files with the line and the kind of each.
    Found(BTreeSet<(PathBuf, usize, String)>),
}

impl fmt::Display for SearchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(kinds) => write!(f, "the tests kept nothing of: {}", kinds.join(", ")),
            Self::Found(found) => {
                write!(f, "secrets were written:")?;
                for (file, line, kind) in found {
                    write!(f, "\n  {}:{line}: {kind}", file.display())?;
                }
                Ok(())
            }
        }
    }
}

/// Looks for every secret in everything that was written, in a folder that [`crate::record`] filled.
pub fn search(folder: &Path) -> Result<Summary, SearchError> {
    let mut summary = Summary::default();
    let mut needles = Needles::default();
    for path in files(&folder.join("secrets")) {
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let (kind, secret) = line
                .split_once('\t')
                .unwrap_or_else(|| panic!("no kind of a secret"));
            *summary.secrets.entry(kind.to_owned()).or_default() += 1;
            needles.add(kind, secret.as_bytes());
        }
    }
    let mut found = BTreeSet::new();
    for path in files(&folder.join("written")) {
        let text = std::fs::read(&path).unwrap();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let kind = name.split('~').next().unwrap_or_default().to_owned();
        *summary.texts.entry(kind).or_default() += text.len();
        let hits = needles.find(&text);
        found.extend(hits.into_iter().map(|(line, kind)| (path.clone(), line, kind)));
    }
    let secrets = KINDS_OF_SECRETS
        .into_iter()
        .filter(|kind| !summary.secrets.contains_key(*kind));
    let texts = KINDS_OF_TEXTS
        .into_iter()
        .filter(|kind| summary.texts.get(*kind).is_none_or(|bytes| *bytes == 0));
    let missing: Vec<&str> = secrets.chain(texts).collect();
    if !found.is_empty() {
        Err(SearchError::Found(found))
    } else if missing.is_empty() {
        Ok(summary)
    } else {
        Err(SearchError::Missing(missing))
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The ends of all secrets.
///
/// They are found by a hash of a few bytes that moves along the text (Rabin and Karp), so that it makes no difference
/// how many there are.
#[derive(Default)]
struct Needles {
    by_hash: HashMap<u64, Vec<(Vec<u8>, String)>>,
    /// Which hashes there may be: most places of a text end here.
    may_be: Vec<bool>,
}

const BASE: u64 = 0x0100_0000_01b3;
const MAY_BE_BITS: u32 = 22;

fn slot(hash: u64) -> usize {
    usize::try_from(hash.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - MAY_BE_BITS)).unwrap_or(0)
}

fn push(hash: u64, byte: u8) -> u64 {
    hash.wrapping_mul(BASE).wrapping_add(u64::from(byte))
}

impl Needles {
    fn add(&mut self, kind: &str, secret: &[u8]) {
        assert!(secret.len() >= SHORTEST, "a {kind} is too short to be found");
        let end = &secret[secret.len().saturating_sub(LONGEST)..];
        let hashed = &end[end.len() - SHORTEST..];
        let hash = hashed.iter().fold(0, |hash, byte| push(hash, *byte));
        self.may_be.resize(1 << MAY_BE_BITS, false);
        self.may_be[slot(hash)] = true;
        let same = self.by_hash.entry(hash).or_default();
        if !same.iter().any(|(known, _)| known == end) {
            same.push((end.to_vec(), kind.to_owned()));
        }
    }

    /// Returns the line and the kind of each secret in a text.
    fn find(&self, text: &[u8]) -> BTreeSet<(usize, String)> {
        let mut found = BTreeSet::new();
        if self.by_hash.is_empty() {
            return found;
        }
        let leaving = (0..SHORTEST).fold(1_u64, |power, _| power.wrapping_mul(BASE));
        let mut hash = 0;
        for (index, byte) in text.iter().enumerate() {
            hash = push(hash, *byte);
            if index >= SHORTEST {
                hash = hash.wrapping_sub(leaving.wrapping_mul(u64::from(text[index - SHORTEST])));
            }
            if index + 1 < SHORTEST || !self.may_be[slot(hash)] {
                continue;
            }
            let same = self.by_hash.get(&hash).into_iter().flatten();
            for (_, kind) in same.filter(|(end, _)| text[..=index].ends_with(end)) {
                let line = text[..index].split(|byte| *byte == b'\n').count();
                found.insert((line, kind.clone()));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "forge_0123456789abcdefghijklmnop";

    /// Fills a folder as a run of all tests does.
    fn run_of_all_tests(log: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for part in ["secrets", "written"] {
            std::fs::create_dir(folder.path().join(part)).unwrap();
        }
        let secrets: String = KINDS_OF_SECRETS
            .iter()
            .map(|kind| format!("{kind}\tsecret of the kind {kind}\n"))
            .collect();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("secrets/all~some.test~1", &secrets);
        write("secrets/all~other.test~2", &format!("API key\t{SECRET}\n"));
        for kind in KINDS_OF_TEXTS {
            write(
                &format!("written/{kind}~some.test~1"),
                &format!("nothing to see in {kind}\n"),
            );
        }
        write("written/log~other.test~2", log);
        folder
    }

    #[test]
    fn what_holds_no_secret_is_summed_up() {
        let near = format!("{} {}", &SECRET[..SECRET.len() - 1], &SECRET[..8]);
        let folder = run_of_all_tests(&near);
        let summary = search(folder.path()).unwrap();
        assert_eq!(summary.secrets["API key"], 2);
        assert!(summary.to_string().contains("1 × token"), "{summary}");
        assert_eq!(summary.texts["stderr"], 25);
    }

    #[test]
    fn a_planted_secret_is_found_wherever_it_stands_and_not_told() {
        for (log, line) in [
            (SECRET.to_owned(), 1),
            (format!("x{SECRET}"), 1),
            (format!("one\ntwo {SECRET} three\nfour"), 2),
            (format!("{}\n{SECRET}\n", "filler ".repeat(10_000)), 2),
        ] {
            let folder = run_of_all_tests(&log);
            let error = search(folder.path()).unwrap_err();
            let text = error.to_string();
            assert!(
                text.ends_with(&format!("written/log~other.test~2:{line}: API key")),
                "{text}"
            );
            assert!(!text.contains("0123456789"), "{text}");
        }
    }

    #[test]
    fn every_kind_of_secret_is_found() {
        for kind in KINDS_OF_SECRETS {
            let folder = run_of_all_tests(&format!("in it is the secret of the kind {kind}, see"));
            let Err(SearchError::Found(found)) = search(folder.path()) else {
                panic!("{kind}")
            };
            assert_eq!(
                found.iter().map(|(_, _, kind)| kind.as_str()).collect::<Vec<_>>(),
                [kind]
            );
        }
    }

    #[test]
    fn a_search_for_nothing_or_in_nothing_proves_nothing() {
        let empty = tempfile::tempdir().unwrap();
        assert!(matches!(search(empty.path()), Err(SearchError::Missing(kinds)) if kinds.len() == 12));
        for (gone, kind) in [
            ("secrets/all~some.test~1", "master key"),
            ("written/audit rows~some.test~1", "audit rows"),
        ] {
            let folder = run_of_all_tests("");
            std::fs::remove_file(folder.path().join(gone)).unwrap();
            let text = search(folder.path()).unwrap_err().to_string();
            assert!(
                text.contains(kind) && text.starts_with("the tests kept nothing of"),
                "{text}"
            );
        }
    }
}
