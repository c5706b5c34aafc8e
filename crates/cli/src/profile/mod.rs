//! Profiles: where the server is, and who signs in there.
//!
//! The five values come from one source and are never mixed, so that no key is ever sent to a server that it does not
//! belong to. Which source that is, is never a matter of what else happens to be set: a profile that is named is used, or it
//! is an error.

mod dotenv;
mod folders;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use forge_client::Credentials;

use crate::error::{Exit, Failure, Result};
use crate::input;
use crate::likeness::slips;
use values::{FIELDS, PREFIXES, read};

pub(crate) use dotenv::write as file_text;
pub(crate) use folders::Folders;
pub(crate) use values::fault;

/// The name of the profile that is used when none is named.
pub(crate) const DEFAULT: &str = "default";
/// The variable that names a profile.
const NAMING: &str = "FORGE_ENV";
/// What the names of files begin with.
const FILE: &str = ".env.";
/// The longest file of a profile, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// Where a profile comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// Variables with this prefix.
    Variables(&'static str),
    /// A file.
    File(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variables(prefix) => write!(f, "the variables {prefix}…"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A profile.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) credentials: Credentials,
    pub(crate) source: Source,
    /// The name by which it was asked for, if it was.
    pub(crate) name: Option<String>,
}

/// Where profiles are looked for.
pub(crate) struct Places {
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) folders: Folders,
}

impl Places {
    /// The process's environment, its working directory and its user's folders.
    pub(crate) fn of_process() -> Self {
        // A variable that is no text cannot be one of ours.
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self {
            variables: std::env::vars_os()
                .filter_map(text)
                .filter(|(_, value)| !value.is_empty())
                .collect(),
            folders: Folders::of_process(),
        }
    }

    /// Returns the profile that `FORGE_ENV` names.
    fn of_variable(&self) -> Option<&str> {
        self.variables
            .get(NAMING)
            .map(|name| name.trim())
            .filter(|name| !name.is_empty())
    }

    /// Returns the name of the profile that `--env` or `FORGE_ENV` asks for; the default one's if neither does.
    pub(crate) fn name<'n>(&'n self, option: Option<&'n str>) -> Result<&'n str> {
        let name = option.or_else(|| self.of_variable()).unwrap_or(DEFAULT);
        check_name(name)?;
        Ok(name)
    }

    /// Finds the profile that `--env` names; without it, what the variables say.
    pub(crate) fn find(&self, option: Option<&str>) -> Result<Profile> {
        if let Some(name) = option {
            return self.named(name);
        }
        if let Some(name) = self.of_variable() {
            let set = values::set(&self.variables);
            if !set.is_empty() {
                return Err(two_sources(name, &set));
            }
            return self.named(name);
        }
        values::check_prefixes(&self.variables, "the environment")?;
        let found = read(&self.variables, |missing, prefix| {
            incomplete(&format!("the variables {prefix}…"), missing, prefix).hint(
                "set all five, or none of them to use a file; a server that `forge serve` runs on this machine is at \
                 http://127.0.0.1:8787",
            )
        })?;
        if let Some((credentials, prefix)) = found {
            return Ok(Profile {
                credentials,
                source: Source::Variables(prefix),
                name: None,
            });
        }
        let Some((credentials, path)) = self.file(DEFAULT)? else {
            return Err(not_signed_in());
        };
        Ok(Profile {
            credentials,
            source: Source::File(path),
            name: None,
        })
    }

    /// Finds the profile of this name, which must be there.
    fn named(&self, name: &str) -> Result<Profile> {
        check_name(name)?;
        let Some((credentials, path)) = self.file(name)? else {
            return Err(self.no_such_profile(name));
        };
        Ok(Profile {
            credentials,
            source: Source::File(path),
            name: Some(name.to_owned()),
        })
    }

    /// Returns the whole set of variables, if there is one.
    pub(crate) fn variables(&self) -> Result<Option<Credentials>> {
        values::check_prefixes(&self.variables, "the environment")?;
        let found = read(&self.variables, |missing, prefix| {
            incomplete(&format!("the variables {prefix}…"), missing, prefix)
                .hint("set all five, or give `forge auth login` the values as options")
        })?;
        Ok(found.map(|(credentials, _)| credentials))
    }

    /// The working directory, then the user's configuration.
    fn looked_in(&self) -> Vec<PathBuf> {
        let folders = [
            Some(self.folders.working.clone()),
            self.folders.configuration.clone(),
        ];
        folders.into_iter().flatten().collect()
    }

    /// Reads the first file of this profile.
    ///
    /// Other programs have `.env` files, too: one without any of our values is none.
    fn file(&self, name: &str) -> Result<Option<(Credentials, PathBuf)>> {
        for folder in self.looked_in() {
            let path = path_in(&folder, name);
            // A link to nothing is there, too, and cannot be read.
            if path.symlink_metadata().is_err() {
                continue;
            }
            if let Some(credentials) = read_file(&path)? {
                return Ok(Some((credentials, path)));
            }
        }
        Ok(None)
    }

    /// Returns the names of the profiles that there are.
    fn names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for folder in self.looked_in() {
            // A folder that cannot be read has nothing to tell.
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let file = entry.file_name();
                let name = file.to_str().and_then(|file| file.strip_prefix(FILE));
                let is_profile = || matches!(read_file(&entry.path()), Ok(Some(_)));
                if let Some(name) = name.filter(|name| check_name(name).is_ok() && is_profile()) {
                    names.insert(name.to_owned());
                }
            }
        }
        names
    }

    /// Returns the profiles that are called nearly like a new one.
    pub(crate) fn similar(&self, name: &str) -> Vec<String> {
        let names = self.names();
        if names.contains(name) {
            return Vec::new();
        }
        let found = slips(name, names.iter().map(String::as_str));
        found.into_iter().map(str::to_owned).collect()
    }

    fn no_such_profile(&self, name: &str) -> Failure {
        let paths = self.looked_in();
        let paths: Vec<String> = paths
            .iter()
            .map(|folder| path_in(folder, name).display().to_string())
            .collect();
        let text = format!(
            "there is no profile `{name}`: no credentials in {}",
            paths.join(" or ")
        );
        let failure = Failure::new(Exit::NotPermitted, text);
        let names: Vec<String> = self.names().iter().map(|name| format!("`{name}`")).collect();
        let failure = match names.as_slice() {
            [] => failure,
            [one] => failure.hint(format!("there is the profile {one}")),
            several => failure.hint(format!("the profiles are {}", several.join(", "))),
        };
        let failure = failure.hint(format!("`forge auth login --env {name}` makes it"));
        if values::set(&self.variables).is_empty() {
            return failure;
        }
        failure.hint("variables are set, too; without `--env`, they are used")
    }
}

fn two_sources(name: &str, set: &[String]) -> Failure {
    let text = format!(
        "{NAMING} names the profile `{name}`, and {} {} set, too: it is not clear which server is meant",
        set.join(", "),
        if set.len() == 1 { "is" } else { "are" }
    );
    Failure::new(Exit::NotPermitted, text)
        .hint(format!("`--env {name}` uses the profile, whatever is set"))
        .hint(format!("without {NAMING}, the variables are used"))
}

fn not_signed_in() -> Failure {
    let variables = FIELDS.map(|field| format!("FORGE_{field}")).join(", ");
    Failure::new(Exit::NotPermitted, "not signed in")
        .hint(format!("run `forge auth login`, or set {variables}"))
        .hint("`forge init` and `forge admin key create` print these, but for the server's address")
}

/// Ensures that a name can be part of a file's name.
fn check_name(name: &str) -> Result<()> {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.chars().all(is_fine) && !name.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Usage,
        format!("`{name}` is no name of a profile: it has letters, digits, `-`, `_` and `.` only"),
    ))
}

/// Returns the file of a profile in a folder.
pub(crate) fn path_in(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{FILE}{name}"))
}

/// Reads the file of a profile, or `None` if it has no value of one.
pub(crate) fn read_file(path: &Path) -> Result<Option<Credentials>> {
    let place = path.display();
    let fault = |fault: String| Failure::new(Exit::NotPermitted, format!("{place}: {fault}"));
    let bytes = input::file(path, LONGEST).map_err(|error| {
        fault(match path.symlink_metadata() {
            Ok(found) if found.is_symlink() && error.kind() == io::ErrorKind::NotFound => {
                "it is a link to nothing".to_owned()
            }
            _ => error.to_string(),
        })
    })?;
    let text = input::text(bytes).map_err(fault)?;
    let values = dotenv::parse(&text).map_err(fault)?;
    values::check_prefixes(&values, &place.to_string())?;
    let found = read(&values, |missing, prefix| {
        incomplete(&format!("the lines of {place}"), missing, prefix)
            .hint("`forge auth login` writes a whole profile")
    })?;
    Ok(found.map(|(credentials, _)| credentials))
}

fn incomplete(place: &str, missing: &[&str], prefix: &str) -> Failure {
    let missing: Vec<String> = missing.iter().map(|field| format!("{prefix}{field}")).collect();
    Failure::new(
        Exit::NotPermitted,
        format!("not signed in: {place} lack {}", missing.join(", ")),
    )
}

#[cfg(test)]
mod tests;
