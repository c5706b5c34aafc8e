//! The folders of the user who runs the command.

use std::path::PathBuf;

/// Where files of the user are.
///
/// A folder is absent where the environment does not say who the user is.
#[derive(Debug, Clone)]
pub(crate) struct Folders {
    /// The working directory.
    pub(crate) working: PathBuf,
    /// Configuration of this program.
    pub(crate) configuration: Option<PathBuf>,
    /// What this program can make again.
    pub(crate) cache: Option<PathBuf>,
}

impl Folders {
    pub(crate) fn of_process() -> Self {
        let from = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let folder = |variable: &str, below_home: &str| {
            let parent = from(variable).or_else(|| from("HOME").map(|home| home.join(below_home)));
            parent.map(|parent| parent.join("forge"))
        };
        Self {
            working: PathBuf::from("."),
            configuration: folder("XDG_CONFIG_HOME", ".config"),
            cache: folder("XDG_CACHE_HOME", ".cache"),
        }
    }
}
