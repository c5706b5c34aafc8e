//! Where an installation is, and opening it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use forge_app::{App, Environment, Keyring, OpenMode, OsRandom, Runtime, Store, StoreUrl, SystemClock};

use crate::config::Config;
use crate::error::{Context as _, Failure, Result};
use crate::{exposure, input};

/// The longest file of a master key, in bytes, with much to spare.
const LONGEST_KEY: u64 = 64 * 1024;

/// The address of a database.
///
/// It may hold a password, so nothing prints it.
#[derive(Clone)]
pub(crate) struct DatabaseUrl(String);

impl From<String> for DatabaseUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl std::ops::Deref for DatabaseUrl {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DatabaseUrl")
    }
}

/// Where an installation is; the same options for every command that opens it.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Location {
    /// Folder of the embedded database, the master key and the configuration [default: `$XDG_DATA_HOME/forge` or
    /// `~/.local/share/forge`].
    #[arg(long, value_name = "DIR", env = "FORGE_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Database to use instead of the embedded one: `postgres://USER:PASSWORD@HOST/DATABASE`.
    #[arg(long, value_name = "URL", env = "FORGE_DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: Option<DatabaseUrl>,
    /// File of the master key, which seals the secrets in the store [default: master.key in the data folder].
    #[arg(long, value_name = "FILE", env = "FORGE_MASTER_KEY_FILE")]
    pub(crate) master_key_file: Option<PathBuf>,
    /// Configuration file [default: forge.toml in the data folder, if there is one].
    #[arg(long, value_name = "FILE", env = "FORGE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

/// An open installation.
pub(crate) struct Installation {
    pub(crate) app: App,
    pub(crate) limits: forge_api::Limits,
    config: Config,
    config_path: PathBuf,
    pub(crate) has_organizations: bool,
    /// Where the server of an embedded database listens to admin commands; others open the database themselves.
    pub(crate) socket: Option<PathBuf>,
    /// What others on the machine may do with its files, and should not.
    pub(crate) warnings: Vec<String>,
}

impl Installation {
    /// Makes what conversations run with.
    ///
    /// Only a server needs it, and the keys of model providers in its environment.
    pub(crate) fn runtime(&self) -> Result<Arc<Runtime>> {
        let folder = self.config_path.parent().unwrap_or(Path::new(""));
        let runtime = self.config.runtime(folder, |name| {
            // What is no text is told as what cannot be sent.
            Some(std::env::var_os(name)?.to_string_lossy().into_owned())
        });
        let runtime = runtime.with_context(|| format!("{} is not valid", self.config_path.display()))?;
        Ok(Arc::new(runtime))
    }
}

impl Location {
    /// Ensures that nothing stands around or in what was named that nobody sees and nobody meant.
    fn check(&self) -> Result<()> {
        let path = |path: &Option<PathBuf>| Some(path.as_ref()?.to_string_lossy().into_owned());
        check_named("--data-dir", "FORGE_DATA_DIR", path(&self.data_dir).as_deref())?;
        check_named(
            "--database-url",
            "FORGE_DATABASE_URL",
            self.database_url.as_deref(),
        )?;
        check_named(
            "--master-key-file",
            "FORGE_MASTER_KEY_FILE",
            path(&self.master_key_file).as_deref(),
        )?;
        check_named("--config", "FORGE_CONFIG", path(&self.config).as_deref())
    }

    fn folder(&self) -> Result<PathBuf> {
        if let Some(folder) = &self.data_dir {
            return Ok(folder.clone());
        }
        let from = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let data = from("XDG_DATA_HOME").or_else(|| from("HOME").map(|home| home.join(".local/share")));
        let data =
            data.context("neither HOME nor XDG_DATA_HOME is set; name the folder with `--data-dir DIR`")?;
        Ok(data.join("forge"))
    }

    /// Returns where the database is, and the folder of everything else.
    fn places(&self) -> Result<(StoreUrl, PathBuf)> {
        self.check()?;
        // An empty variable is one that is not set.
        let named = self
            .database_url
            .as_deref()
            .filter(|url| !url.is_empty())
            .map(str::parse::<StoreUrl>)
            .transpose()?;
        let folder = match (&self.data_dir, &named) {
            (None, Some(StoreUrl::Folder(folder))) => folder.clone(),
            _ => self.folder()?,
        };
        Ok((named.unwrap_or_else(|| StoreUrl::Folder(folder.clone())), folder))
    }

    /// Returns where a server of this installation listens to admin commands, if it has an embedded database.
    pub(crate) fn socket(&self) -> Result<Option<PathBuf>> {
        Ok(match self.places()?.0 {
            StoreUrl::Folder(folder) => Some(folder.join("forge.sock")),
            StoreUrl::Postgres(_) => None,
        })
    }

    /// Opens the installation.
    ///
    /// Its master key is made together with its first organization, never later.
    pub(crate) async fn open(&self, mode: OpenMode) -> Result<Installation> {
        let (url, folder) = self.places()?;
        let config_path = self.config.clone().unwrap_or_else(|| folder.join("forge.toml"));
        let config = Config::read(&config_path, self.config.is_some())?;
        let limits = config
            .limits()
            .with_context(|| format!("{} is not valid", config_path.display()))?;
        let catalogues = config
            .catalogues()
            .with_context(|| format!("{} is not valid", config_path.display()))?;
        let key_file = self
            .master_key_file
            .clone()
            .unwrap_or_else(|| folder.join("master.key"));
        check_key_file(&key_file)?;
        let store = Store::open(&url, mode).await?;
        let random = OsRandom::default();
        let has_organizations = App::has_organizations(&store).await?;
        let keyring = if has_organizations {
            Keyring::load(&key_file)?
        } else {
            Keyring::load_or_create(&key_file, &random)?
        };
        let environment = Environment {
            clock: Arc::new(SystemClock),
            random: Arc::new(random),
            keyring: Arc::new(keyring),
            catalogues: Arc::new(catalogues),
            runtime: Arc::default(),
            snapshots: Arc::default(),
        };
        let app = App::new(store, environment);
        if !app.check_master_key().await? {
            return Err(Failure::failed(format!(
                "the master key in {} is not the one that {url} was made with; name the right file by \
                 `--master-key-file`",
                key_file.display()
            )));
        }
        let warnings = exposure::warnings(&folder, &key_file, &config_path);
        Ok(Installation {
            app,
            warnings,
            limits,
            config,
            config_path,
            has_organizations,
            socket: self.socket()?,
        })
    }
}

/// Ensures that a place has no blanks around it and no control characters in it, as the end of a line has that came
/// from a file.
///
/// The value is not told, as it may hold a password.
pub(crate) fn check_named(option: &str, variable: &str, value: Option<&str>) -> Result<()> {
    let value = value.unwrap_or_default();
    let fault = if value.contains(['\n', '\r']) {
        "a line break in it"
    } else if value.contains(char::is_control) {
        "a control character in it"
    } else if value.trim() != value {
        "a blank at its beginning or end"
    } else {
        return Ok(());
    };
    Err(Failure::failed(format!(
        "what `{option}` or {variable} names has {fault}; set it anew"
    )))
}

/// Ensures that reading the master key comes to an end.
///
/// What is missing is told by whoever needs it.
fn check_key_file(path: &Path) -> Result<()> {
    match input::file(path, LONGEST_KEY) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot read the master key in {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_a_place_has_nothing_around_it_that_nobody_meant() {
        let location = |index: usize, text: &str| {
            let path = |place: usize| (place == index).then(|| PathBuf::from(text));
            Location {
                data_dir: path(0),
                database_url: (index == 1).then(|| text.to_owned().into()),
                master_key_file: path(2),
                config: path(3),
            }
        };
        let variables = [
            "FORGE_DATA_DIR",
            "FORGE_DATABASE_URL",
            "FORGE_MASTER_KEY_FILE",
            "FORGE_CONFIG",
        ];
        for (index, variable) in variables.into_iter().enumerate() {
            for (text, fault) in [
                ("sqlite:///forge\n", "a line break"),
                ("sqlite:///forge\r\n", "a line break"),
                ("sqlite:///for\nge", "a line break"),
                ("sqlite:///forge ", "a blank"),
                (" sqlite:///forge", "a blank"),
                ("sqlite:///for\tge", "a control character"),
            ] {
                let error = location(index, text).places().unwrap_err().to_string();
                assert!(
                    error.contains(variable) && error.contains(fault),
                    "{text:?}: {error}"
                );
                assert!(!error.contains("sqlite"), "{error}");
            }
            location(index, "sqlite:///my forge").check().unwrap();
        }
    }
}
