//! The master key: it seals the secrets in the store and is itself kept outside it.

use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Random;

/// The length of the master key, in bytes.
const KEY_LENGTH: usize = 32;

/// Seals and opens secrets with AES-256-GCM under the master key.
pub struct Keyring(RandomizedNonceKey);

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring")
    }
}

/// The master key cannot be used; each text is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The file is missing.
    #[error(
        "there is no master key in {0}; name the file that was made with the store by `--master-key-file`"
    )]
    Missing(PathBuf),
    /// The file cannot be read or written.
    #[error("cannot use the master key file {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("{0} holds no master key: expected 32 bytes in base64")]
    Malformed(PathBuf),
    /// The file was saved by a program that puts a mark before texts.
    #[error(
        "{0} begins with a byte order mark, which is no part of a master key; save it as UTF-8 without one"
    )]
    Marked(PathBuf),
    /// No random bytes could be had for a new key.
    #[error("the operating system gives no random bytes")]
    NoRandomBytes,
}

impl Keyring {
    /// Creates a keyring from a master key.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "the key has the length that is asked for"
    )]
    pub fn new(master_key: &[u8; KEY_LENGTH]) -> Self {
        Self(RandomizedNonceKey::new(&AES_256_GCM, master_key).expect("the key is 32 bytes long"))
    }

    /// Reads the master key from a file.
    pub fn load(path: &Path) -> Result<Self, KeyringError> {
        let text = std::fs::read(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => KeyringError::Missing(path.to_owned()),
            _ => KeyringError::File {
                path: path.to_owned(),
                source,
            },
        })?;
        let marks: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
        if marks.iter().any(|mark| text.starts_with(mark)) {
            return Err(KeyringError::Marked(path.to_owned()));
        }
        let bytes = STANDARD
            .decode(text.trim_ascii())
            .map_err(|_| KeyringError::Malformed(path.to_owned()))?;
        let key = bytes
            .try_into()
            .map_err(|_| KeyringError::Malformed(path.to_owned()))?;
        Ok(Self::new(&key))
    }

    /// Reads the master key from a file, which is made first if it is missing, readable by its owner only.
    pub fn load_or_create(path: &Path, random: &dyn Random) -> Result<Self, KeyringError> {
        match Self::load(path) {
            Err(KeyringError::Missing(_)) => {}
            other => return other,
        }
        let mut key = [0; KEY_LENGTH];
        random.fill(&mut key).map_err(|_| KeyringError::NoRandomBytes)?;
        let mut options = std::fs::File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let write = |folder: Option<&Path>| {
            folder.map_or(Ok(()), std::fs::create_dir_all)?;
            let mut file = options.open(path)?;
            writeln!(file, "{}", STANDARD.encode(key))?;
            file.sync_all()
        };
        match write(path.parent().filter(|folder| !folder.as_os_str().is_empty())) {
            Ok(()) => Ok(Self::new(&key)),
            // Another process was first.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Self::load(path),
            Err(source) => Err(KeyringError::File {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Seals a secret; `context` says what it is and must be the same when it is opened.
    pub(crate) fn seal(&self, context: &str, secret: &[u8]) -> Result<String, KeyringError> {
        let mut sealed = secret.to_vec();
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(context.as_bytes()), &mut sealed)
            .map_err(|_| KeyringError::NoRandomBytes)?;
        let mut bytes = nonce.as_ref().to_vec();
        bytes.append(&mut sealed);
        Ok(STANDARD.encode(bytes))
    }

    /// Opens what `seal` made, or `None` if it was made under another key or for another context.
    pub fn open(&self, context: &str, sealed: &str) -> Option<Vec<u8>> {
        let bytes = STANDARD.decode(sealed).ok()?;
        let (nonce, secret) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut secret = secret.to_vec();
        let opened = self
            .0
            .open_in_place(nonce, Aad::from(context.as_bytes()), &mut secret)
            .ok()?;
        Some(opened.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsRandom;

    #[test]
    fn a_secret_opens_only_under_its_key_and_for_its_context() {
        let keyring = Keyring::new(&[1; 32]);
        let sealed = keyring.seal("acme/k1", b"secret").unwrap();
        assert_eq!(
            keyring.open("acme/k1", &sealed).as_deref(),
            Some(b"secret".as_slice())
        );
        assert_eq!(keyring.open("acme/k2", &sealed), None);
        assert_eq!(Keyring::new(&[2; 32]).open("acme/k1", &sealed), None);
        assert_eq!(keyring.open("acme/k1", "AAAA"), None);
        assert_ne!(
            keyring.seal("acme/k1", b"secret").unwrap(),
            sealed,
            "nonces differ"
        );
    }

    #[test]
    fn the_file_is_made_once_and_read_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub/master.key");
        let first = Keyring::load_or_create(&path, &OsRandom::default()).unwrap();
        let second = Keyring::load_or_create(&path, &OsRandom::default()).unwrap();
        let sealed = first.seal("c", b"s").unwrap();
        assert_eq!(second.open("c", &sealed).as_deref(), Some(b"s".as_slice()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }

    #[test]
    fn a_missing_or_broken_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        assert!(matches!(Keyring::load(&path), Err(KeyringError::Missing(_))));
        for nonsense in [b"nonsense".as_slice(), b"\xff\n"] {
            std::fs::write(&path, nonsense).unwrap();
            assert!(matches!(Keyring::load(&path), Err(KeyringError::Malformed(_))));
        }
        let key = STANDARD.encode([1; KEY_LENGTH]);
        std::fs::write(&path, format!(" {key}\r\n")).unwrap();
        Keyring::load(&path).unwrap();
        for mark in [b"\xef\xbb\xbf".as_slice(), b"\xff\xfe"] {
            std::fs::write(&path, [mark, key.as_bytes()].concat()).unwrap();
            let error = Keyring::load(&path).unwrap_err().to_string();
            assert!(error.contains("byte order mark"), "{error}");
        }
    }
}
