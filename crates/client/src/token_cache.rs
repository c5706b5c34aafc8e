//! Tokens on disk, so that not every command has to sign in.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use forge_types::Timestamp;

use crate::Credentials;
use crate::token::Token;

/// The longest file of a token, in bytes, with much to spare.
const LONGEST: u64 = 1024 * 1024;

/// A folder with one file for each set of credentials, readable by its owner only.
#[derive(Debug, Clone)]
pub struct TokenCache {
    folder: PathBuf,
}

impl TokenCache {
    /// Uses a folder, which need not be there yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn path(&self, credentials: &Credentials) -> PathBuf {
        self.folder.join(format!("{}.json", credentials.hash()))
    }

    /// Returns the token of these credentials.
    ///
    /// What cannot be read counts as not there.
    pub(crate) fn load(&self, credentials: &Credentials) -> Option<Token> {
        let path = self.path(credentials);
        let length = std::fs::metadata(&path)
            .ok()
            .filter(std::fs::Metadata::is_file)?
            .len();
        if length > LONGEST {
            return None;
        }
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }

    /// Keeps a token.
    pub(crate) fn store(&self, credentials: &Credentials, token: &Token) -> io::Result<()> {
        create_private_folder(&self.folder)?;
        // A temporary file is its owner's only, and renaming shows others the whole file or none.
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(&serde_json::to_vec(token)?)?;
        file.persist(self.path(credentials))?;
        Ok(())
    }

    /// Returns when the kept token of these credentials ends, if there is one.
    pub fn expires_at(&self, credentials: &Credentials) -> Option<Timestamp> {
        self.load(credentials).map(|token| token.expires_at)
    }

    /// Forgets the token of these credentials.
    ///
    /// Returns `true` if there was one.
    ///
    /// # Errors
    ///
    /// Fails if the file is there and cannot be removed.
    pub fn forget(&self, credentials: &Credentials) -> io::Result<bool> {
        match std::fs::remove_file(self.path(credentials)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_kept_for_their_owner_and_by_credentials() {
        let folder = tempfile::tempdir().unwrap();
        let cache = TokenCache::new(folder.path().join("a/tokens"));
        let mut credentials = Credentials {
            base_url: "http://host".into(),
            organization_id: "acme".into(),
            user_id: "u".into(),
            api_key_id: "k".into(),
            api_key: "secret".into(),
        };
        assert_eq!(cache.load(&credentials), None);
        let token = Token {
            id_token: "t".into(),
            expires_at: Timestamp::from_millis(1_000_000),
        };
        cache.store(&credentials, &token).unwrap();
        assert_eq!(cache.load(&credentials), Some(token.clone()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&cache.path(&credentials)), 0o600);
            assert_eq!(mode(&folder.path().join("a/tokens")), 0o700);
        }
        credentials.api_key = "another".into();
        assert_eq!(cache.load(&credentials), None, "another key has another token");
        assert!(!cache.forget(&credentials).unwrap());
        credentials.api_key = "secret".into();
        std::fs::write(cache.path(&credentials), "no JSON").unwrap();
        assert_eq!(cache.load(&credentials), None, "what cannot be read is not there");
        assert!(cache.forget(&credentials).unwrap());
    }
}
